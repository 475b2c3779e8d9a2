// Whatever comes on the shadow's topics is a wish that can be carried out or errors that can be reported.
#include "fuzz.hpp"
#include "telemetry/aws/shadow_document.hpp"

using namespace glimpse;

namespace {

void expect_good(const ShadowDocument& document) {
  expect(document.version >= 0 && document.sent_s >= 0, "versions and times are not negative");
  expect(document.readable || !document.errors.empty(), "what cannot be read has its reason");
  expect(document.errors.size() <= max_shadow_errors, "errors are not many");
  for (const auto& [setting, reason] : document.errors) {
    expect(setting.size() <= 40 && setting == escape_control(setting), "a setting is one short line");
    expect(reason.size() <= 120 && reason == escape_control(reason), "a reason is one short line");
  }
  const SettingsChange change = change_of(document.wish);
  expect(!change.top_k || (*change.top_k >= 1 && *change.top_k <= 1000), "top_k is in its range");
  expect(!change.interval || (change.interval->count() >= 0 && change.interval->count() <= 86'400'000),
         "the interval is in its range");
  expect(!change.model || change.model->find('/') == std::string::npos, "a model is no path");
  expect(update_request(reported({}, "0.1.0", document.errors), {}, "token").size() <= max_shadow_document,
         "AWS takes the report");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string payload(data, data + size);
  expect_good(read_delta(payload));
  expect_good(read_accepted(payload));
  const ShadowRejection rejection = read_rejection(payload);
  expect(rejection.message.size() <= 120 && rejection.message == escape_control(rejection.message),
         "a reason is one short line");
  return 0;
}
