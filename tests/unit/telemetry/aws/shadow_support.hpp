// A shadow between a control and a service that are none.
#pragma once

#include <deque>
#include <utility>

#include "captured_log.hpp"
#include "catch.hpp"
#include "telemetry/aws/shadow.hpp"
#include "telemetry/aws/shadow_service.hpp"

using Json = nlohmann::json;
using namespace std::chrono_literals;

/// Carries out what it is asked for when finish() is called, as the real one does from a thread of its own.
class FakeControl final : public glimpse::SettingsControl {
 public:
  using Done = std::function<void(const std::vector<glimpse::Refusal>&)>;

  glimpse::InForce now{{1000ms, {}, 10}, {"demo", false, "onednn", "5e2f"}};
  std::vector<std::string> installed{"demo", "mobilenet_v2"};
  bool is_busy = false;
  std::vector<glimpse::SettingsChange> asked;
  std::deque<std::pair<glimpse::SettingsChange, Done>> waiting;

  [[nodiscard]] glimpse::InForce in_force() const override { return now; }
  void ask(glimpse::SettingsChange change, Done done) override {
    asked.push_back(change);
    if (is_busy) return done({{"", "8 changes wait already: ask again later"}});
    waiting.emplace_back(std::move(change), std::move(done));
  }
  bool finish() {
    if (waiting.empty()) return false;
    const auto [change, done] = std::move(waiting.front());
    waiting.pop_front();
    if (change.model && std::find(installed.begin(), installed.end(), *change.model) == installed.end()) {
      done({{"model", "there is no " + *change.model + "; installed are demo, mobilenet_v2"}});
      return true;
    }
    if (change.model) now.model.name = *change.model;
    if (change.quantized) now.model.quantized = *change.quantized;
    if (change.interval) now.settings.interval = *change.interval;
    if (change.top_k) now.settings.top_k = *change.top_k;
    done({});
    return true;
  }
};

struct ShadowRig {
  CapturedLog log;
  FakeControl control;
  ShadowService aws;
  glimpse::Steady::time_point now{};
  glimpse::Shadow shadow{"pi-1", "0.1.0", control, [this] { return now; }};
  std::vector<std::string> sent;  // "get" or "update"
  std::vector<std::size_t> sizes;

  /// Until nobody has anything to say.
  void settle() {
    for (int step = 0; step < 100; ++step) {
      const auto message = shadow.next();
      if (message) {
        sent.push_back(message->topic.substr(ShadowService::prefix.size()));
        sizes.push_back(message->payload.size());
        deliver(aws.answer(*message));
      }
      if (!control.finish() && !message) return;
    }
    FAIL("it never comes to an end");
  }
  void deliver(const ShadowService::Messages& messages) {
    for (const auto& message : messages) shadow.received(message);
  }
  void desire(const Json& desired) {
    aws.time_s += 10;
    deliver(aws.desire(desired));
    settle();
  }
  void begin() {
    shadow.began();
    settle();
  }
  [[nodiscard]] Json reported() const { return aws.state().value("reported", Json()); }
  [[nodiscard]] Json errors() const { return reported().value("errors", Json()); }
  [[nodiscard]] auto updates() const { return std::count(sent.begin(), sent.end(), "update"); }
};
