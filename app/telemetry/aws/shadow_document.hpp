// What the device shadow's service sends and takes, as JSON: AWS IoT Core's developer guide, "Device Shadow
// service documents".
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>

#include "core/live_settings.hpp"

namespace glimpse {

/// AWS keeps no shadow whose state has more bytes, and what is for us has far fewer, metadata included.
constexpr std::size_t max_shadow_document = 8192;
constexpr std::size_t max_shadow_errors = 16;

using ShadowValue = std::variant<bool, int, std::chrono::milliseconds, std::string>;

/// A setting as the cloud wants it.
struct DesiredSetting {
  ShadowValue value;
  std::int64_t asked_s = 0;  // when it was asked for: seconds since 1970, by AWS's clock; 0: not said
  bool operator==(const DesiredSetting&) const = default;
};

using Wish = std::map<std::string, DesiredSetting>;       // by setting: "model", "interval_s"...
using ShadowErrors = std::map<std::string, std::string>;  // by setting: one line; at most max_shadow_errors

/// A document that was accepted, or a delta. Every part is whatever somebody put there.
struct ShadowDocument {
  ShadowErrors errors;  // not empty: nothing of the wish counts
  Wish wish;
  bool readable = true;      // else nothing but `errors` says anything
  std::string client_token;  // of the request that it answers, or that led to it
  std::int64_t version = 0;
  std::int64_t sent_s = 0;  // when AWS sent it: seconds since 1970
  std::set<std::string>
      reported_errors;  // settings that `reported` has errors for, at most max_shadow_errors
};

/// Why a request was not carried out.
struct ShadowRejection {
  std::string client_token;  // empty: not said
  int code = 0;              // as HTTP's; 0: not said
  std::string message;       // one line
};

// These three never throw. They refuse more than max_shadow_document bytes unread.
[[nodiscard]] ShadowDocument read_accepted(const std::string& payload);
[[nodiscard]] ShadowDocument read_delta(const std::string& payload);
[[nodiscard]] ShadowRejection read_rejection(const std::string& payload);

/// What is in force, in the terms of a wish.
[[nodiscard]] std::map<std::string, ShadowValue> settings_of(const InForce& now);
[[nodiscard]] SettingsChange change_of(const Wish& wish);
/// "quantized true, top_k 5"
[[nodiscard]] std::string shown(const Wish& wish);
/// As they may stand in a report and in the log: one line each, short, not too many.
[[nodiscard]] ShadowErrors errors_of(const std::vector<Refusal>& refusals);

/// The state's reported part.
[[nodiscard]] std::string reported(const InForce& now, const std::string& program_version,
                                   const ShadowErrors& errors);
/// A request with that reported part, which also deletes the errors of `mended`.
[[nodiscard]] std::string update_request(const std::string& reported, const std::set<std::string>& mended,
                                         const std::string& client_token);
[[nodiscard]] std::string get_request(const std::string& client_token);

}  // namespace glimpse
