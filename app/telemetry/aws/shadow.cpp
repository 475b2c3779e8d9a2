#include "telemetry/aws/shadow.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <utility>

#include "core/text.hpp"

namespace glimpse {
namespace {

/// AWS, "Interacting with shadows": a shadow of the same name begins at version 0 only when the deletion of
/// the one before is so long ago.
constexpr std::int64_t versions_kept_s = std::int64_t{48} * 3600;

/// Answers to an earlier run of the program, or to somebody else, are on the same topics.
std::string random_prefix() {
  static constexpr char digits[] = "0123456789abcdef";
  std::random_device random;
  std::string prefix = "glimpse-";
  for (int i = 0; i < 16; ++i) prefix += digits[random() % 16];
  return prefix + "-";
}

std::set<std::string> keys(const ShadowErrors& errors) {
  std::set<std::string> found;
  for (const auto& [key, text] : errors) found.insert(key);
  return found;
}

}  // namespace

struct Shadow::Outcome {
  std::mutex mutex;
  std::optional<std::vector<Refusal>> refusals;
  std::function<void()> wake;
};

Shadow::Shadow(const std::string& thing, std::string program_version, SettingsControl& control,
               std::function<Steady::time_point()> now)
    : topics_("$aws/things/" + thing + "/shadow/name/glimpse/"),
      program_version_(std::move(program_version)),
      control_(control),
      now_(std::move(now)),
      token_prefix_(random_prefix()),
      outcome_(std::make_shared<Outcome>()) {}

std::vector<std::string> Shadow::filters() const {
  return {topics_ + "get/accepted",    topics_ + "get/rejected", topics_ + "update/accepted",
          topics_ + "update/rejected", topics_ + "update/delta", topics_ + "update/documents"};
}

void Shadow::set_on_news(std::function<void()> wake) {
  const std::lock_guard lock(outcome_->mutex);
  outcome_->wake = std::move(wake);
}

void Shadow::began() {
  on_its_way_.reset();
  waiting_.reset();  // the document tells it again
  wants_document_ = true;
  acknowledged_.clear();
  rejected_.clear();
  version_ = sent_s_ = 0;
  asks_again_at_ = now_();
}

void Shadow::received(const Message& message) {
  if (!message.topic.starts_with(topics_)) return;
  const std::string what = message.topic.substr(topics_.size());
  if (what == "get/accepted") got(message.payload);
  if (what == "update/accepted") accepted(message.payload);
  if (what == "update/delta") changed(message.payload);
  // Somebody else updated it. What was wrong may have been taken back, and of that there is no delta.
  const bool is_ours = message.payload.find(token_prefix_) != std::string::npos;
  if (what == "update/documents" && !is_ours && !errors_.empty()) wants_document_ = true;
  if (what == "get/rejected" || what == "update/rejected") rejected(message.payload, what == "get/rejected");
}

// --- what comes ------------------------------------------------------------------------------------------

bool Shadow::is_answer(const std::string& client_token, bool to_get) const {
  return on_its_way_ && on_its_way_->is_get == to_get && on_its_way_->client_token == client_token;
}

/// Older than what is known, or the same once more.
bool Shadow::is_old(const ShadowDocument& document) const {
  return document.version <= version_ && document.sent_s < sent_s_ + versions_kept_s;
}

void Shadow::got(const std::string& payload) {
  const ShadowDocument document = read_accepted(payload);
  if (document.readable ? !is_answer(document.client_token, true) : !on_its_way_ || !on_its_way_->is_get)
    return;
  on_its_way_.reset();
  last_fault_.clear();
  known_errors_ = document.reported_errors;
  if (!document.readable) return refuse(document.errors);
  if (document.version != version_ && is_old(document)) return;  // a delta has overtaken it
  consider(document);
}

void Shadow::accepted(const std::string& payload) {
  const ShadowDocument document = read_accepted(payload);
  if (!document.readable) return;
  if (is_answer(document.client_token, false)) {
    acknowledged_ = on_its_way_->reported;
    known_errors_ = on_its_way_->errors;
    on_its_way_.reset();
    rejected_.clear();
    last_fault_.clear();
  }
}

void Shadow::changed(const std::string& payload) {
  const ShadowDocument document = read_delta(payload);
  if (!document.readable) return refuse(document.errors);
  if (!is_old(document)) consider(document);
}

void Shadow::rejected(const std::string& payload, bool was_get) {
  const ShadowRejection rejection = read_rejection(payload);
  if (!is_answer(rejection.client_token, was_get)) return;
  if (was_get && rejection.code == 404) {  // there is none yet: the report makes it
    last_fault_.clear();
    known_errors_.clear();
    errors_.clear();
    version_ = sent_s_ = 0;
  } else {
    note(std::string("AWS rejected ") + (was_get ? "the request for the shadow: " : "the report: ") +
         std::to_string(rejection.code) + " " + rejection.message + "; it is tried again after a minute");
    if (was_get) {
      wants_document_ = true;
      asks_again_at_ = now_() + patience;
    } else {
      rejected_ = on_its_way_->reported;
      rests_until_ = now_() + patience;
    }
  }
  on_its_way_.reset();
}

// --- what is done about it -------------------------------------------------------------------------------

void Shadow::consider(const ShadowDocument& document) {
  version_ = document.version;
  sent_s_ = document.sent_s;
  waiting_.reset();
  if (!document.errors.empty()) return refuse(document.errors);
  waiting_ = document.wish;
  ask_next();
}

/// Settings stay as they are; the report says why.
void Shadow::refuse(const ShadowErrors& errors) {
  if (errors == errors_) return;
  errors_ = errors;
  std::string line;
  for (const auto& [setting, reason] : errors) {
    line.append(line.empty() ? "" : "; ").append(setting).append(": ").append(reason);
  }
  spdlog::warn("shadow: refused: {}", line);
}

/// What is left to do of a wish.
Wish Shadow::open_part(const Wish& wish) {
  const auto in_force = settings_of(control_.in_force());
  Wish open;
  for (const auto& [key, desired] : wish) {
    const auto before = carried_out_.find(key);
    if (before != carried_out_.end() && before->second == desired) continue;
    if (in_force.at(key) == desired.value) {
      carried_out_[key] = desired;
      acknowledged_.clear();  // AWS may not know: a shadow that was deleted, and made anew
    } else {
      open[key] = desired;
    }
  }
  return open;
}

void Shadow::ask_next() {
  if (in_progress_ || !waiting_ || now_() < asks_control_at_) return;
  Wish wish = open_part(*std::exchange(waiting_, std::nullopt));
  if (wish.empty()) return errors_.clear();
  // AWS repeats a wish after each report, as long as it stands.
  if (refused_ && refused_->wish == wish) return refuse(refused_->errors);
  spdlog::info("shadow: the cloud asks for {}", shown(wish));
  SettingsChange change = change_of(wish);
  in_progress_ = std::move(wish);
  control_.ask(std::move(change), [weak = std::weak_ptr(outcome_)](const std::vector<Refusal>& refusals) {
    const auto outcome = weak.lock();
    if (!outcome) return;  // the shadow is gone
    const std::lock_guard lock(outcome->mutex);
    outcome->refusals = refusals;
    if (outcome->wake) outcome->wake();
  });
}

void Shadow::take_outcome() {
  std::optional<std::vector<Refusal>> refusals;
  {
    const std::lock_guard lock(outcome_->mutex);
    refusals = std::exchange(outcome_->refusals, std::nullopt);
  }
  if (!refusals || !in_progress_) return;
  Wish wish = *std::exchange(in_progress_, std::nullopt);
  if (refusals->empty()) {
    for (const auto& [key, desired] : wish) carried_out_[key] = desired;
    errors_.clear();
    refused_.reset();
    return;
  }
  refuse(errors_of(*refusals));
  const auto is_of_no_setting = [](const Refusal& refusal) { return refusal.setting.empty(); };
  if (!std::all_of(refusals->begin(), refusals->end(), is_of_no_setting)) {
    refused_ = Refused{std::move(wish), errors_};
  } else {  // it is not the wish that is wrong
    if (!waiting_) waiting_ = std::move(wish);
    asks_control_at_ = now_() + patience;
  }
}

// --- what goes -------------------------------------------------------------------------------------------

std::optional<Message> Shadow::next() {
  take_outcome();
  ask_next();
  const auto now = now_();
  give_up_waiting(now);
  if (on_its_way_) return std::nullopt;
  if (wants_document_) {
    if (now < asks_again_at_) return std::nullopt;
    wants_document_ = false;
    Request request{true, token_prefix_ + std::to_string(++requests_), {}, {}, now};
    const std::string payload = get_request(request.client_token);
    return send(std::move(request), payload);
  }
  std::string state = reported(control_.in_force(), program_version_, errors_);
  if (state == acknowledged_ || (state == rejected_ && now < rests_until_)) return std::nullopt;
  Request request{false, token_prefix_ + std::to_string(++requests_), std::move(state), keys(errors_), now};
  const std::string payload = update_request(request.reported, known_errors_, request.client_token);
  return send(std::move(request), payload);
}

void Shadow::give_up_waiting(Steady::time_point now) {
  if (!on_its_way_ || now - on_its_way_->sent_at < patience) return;
  note("AWS has not answered for a minute; it is asked again");
  wants_document_ = wants_document_ || on_its_way_->is_get;
  on_its_way_.reset();
}

Message Shadow::send(Request request, const std::string& payload) {
  const std::string topic = topics_ + (request.is_get ? "get" : "update");
  on_its_way_ = std::move(request);
  return {topic, payload};
}

void Shadow::note(const std::string& fault) {
  if (std::exchange(last_fault_, fault) != fault) spdlog::warn("shadow: {}", fault);
}

}  // namespace glimpse
