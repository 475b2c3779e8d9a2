// What paho's threads tell us about one session.
#pragma once

#include <mqtt/async_client.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "telemetry/link/mqtt_link.hpp"
#include "telemetry/link/tcp_connect.hpp"

namespace glimpse {

/// Paho calls it under its own lock, so nothing here calls paho.
class PahoSession final : public virtual mqtt::iaction_listener {
 public:
  /// 0: connected. 1 to 5: the CONNACK return code (MQTT 3.1.1, 3.2.2.3). Otherwise paho's own.
  using Outcome = int;

  PahoSession(LinkEvents events, std::string server)
      : events_(std::move(events)), server_(std::move(server)) {}

  void on_success(const mqtt::token& token) override {
    if (token.get_type() == mqtt::token::CONNECT) return decide(MQTTASYNC_SUCCESS);
    if (token.get_type() == mqtt::token::SUBSCRIBE) return subscribed(token, true);
    const std::lock_guard lock(mutex_);
    if (!muted_) events_.acknowledged(id_of(token));
  }

  void on_failure(const mqtt::token& token) override {
    if (token.get_type() == mqtt::token::CONNECT) return decide(token.get_return_code());
    if (token.get_type() == mqtt::token::SUBSCRIBE && token.get_return_code() == MQTT_BAD_SUBSCRIBE)
      return subscribed(token, false);
    lost();
  }

  void received(const mqtt::message& message) {
    const std::lock_guard lock(mutex_);
    if (!muted_ && events_.received) events_.received({message.get_topic(), message.get_payload_str()});
  }

  void lost() {
    const std::lock_guard lock(mutex_);
    if (muted_) return;
    muted_ = true;
    events_.lost(
        {LinkProblem::lost, "the connection to " + server_ + " broke off; it is tried again by itself"});
  }

  /// After this returns no event comes any more.
  void mute() {
    const std::lock_guard lock(mutex_);
    muted_ = true;
  }

  [[nodiscard]] std::optional<Outcome> wait(const Patience& patience) {
    std::unique_lock lock(mutex_);
    decided_.wait_until(lock, patience.stop, patience.deadline, [this] { return outcome_.has_value(); });
    return outcome_;
  }

 private:
  static std::uint64_t id_of(const mqtt::token& token) {
    return reinterpret_cast<std::uintptr_t>(token.get_user_context());
  }

  void subscribed(const mqtt::token& token, bool granted) {
    const std::lock_guard lock(mutex_);
    if (!muted_ && events_.subscribed) events_.subscribed(id_of(token), granted);
  }

  void decide(Outcome outcome) {
    const std::lock_guard lock(mutex_);
    outcome_ = outcome;
    decided_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable_any decided_;
  std::optional<Outcome> outcome_;
  bool muted_ = false;
  LinkEvents events_;
  std::string server_;
};

/// Why paho's attempt to connect came to nothing. `device` is the client id.
[[nodiscard]] LinkFault refusal(PahoSession::Outcome outcome, const Endpoint& endpoint,
                                const std::string& device);

}  // namespace glimpse
