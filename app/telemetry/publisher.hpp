// Sends what the outbox holds to an MQTT broker.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/backoff.hpp"
#include "core/pulse.hpp"
#include "core/waiting.hpp"
#include "telemetry/ack_watch.hpp"
#include "telemetry/conversations.hpp"
#include "telemetry/link/broker_settings.hpp"
#include "telemetry/link/mqtt_link.hpp"
#include "telemetry/outbox/outbox.hpp"
#include "telemetry/record.hpp"
#include "telemetry/session_breaks.hpp"
#include "telemetry/status_message.hpp"

namespace glimpse {

struct PublisherStatus : DeliveryStatus {
  bool ever_connected = false;
  bool credentials_fault = false;  // last_error is about names, keys, certificates or rights: exit code 77
};

/// What the tests put in the place of network, clock and chance.
struct PublisherSeams {
  std::unique_ptr<Link> link;
  std::function<double()> random01;  // [0, 1)
  std::function<Steady::time_point()> now;
  std::function<std::chrono::milliseconds(std::chrono::milliseconds)>
      pause;  // how long a back-off really waits
};

class Publisher {
 public:
  static constexpr std::chrono::milliseconds spacing{
      10};  // at most 100 publishes/s: AWS IoT Core, per connection
  static constexpr std::int64_t bytes_per_second = 512'000;  // the same
  static constexpr std::chrono::seconds between_attempts{
      1};  // from the start of one to that of the next, at least
  static constexpr std::chrono::seconds connect_limit{30};  // beside the limits of its parts

  /// Starts the one thread. `outbox` and `conversations` must outlive the publisher. Throws Error(usage) for
  /// a bad URI; call validate_broker() first for the other checks.
  Publisher(const BrokerSettings& settings, const StatusMessage& message, Outbox& outbox,
            std::vector<Conversation*> conversations = {});
  Publisher(BrokerSettings settings, StatusMessage message, Outbox& outbox,
            std::vector<Conversation*> conversations, PublisherSeams seams);
  ~Publisher();  // as finish(0)
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  [[nodiscard]] PublisherStatus status() const;
  /// Of the thread. Waiting for work, for the next attempt and for a clock that is not set is no step.
  [[nodiscard]] std::shared_ptr<const Pulse> pulse() const { return pulse_; }
  /// Goes on sending until all is acknowledged, for at most `patience` and two more attempts to connect; then
  /// says "offline", disconnects and ends the thread, which takes 2 s at most. What was not sent stays in the
  /// outbox. Further calls do nothing.
  void finish(Steady::duration patience);

 private:
  enum class Ended { lost, renewed, done };
  // Ids of the two status messages, which no record and no conversation has.
  static constexpr std::int64_t online_id = 0, offline_id = std::numeric_limits<std::int64_t>::max();

  void run(const std::stop_token& stop);
  [[nodiscard]] std::optional<LinkFault> connect(const std::stop_token& stop);
  // One session: publisher_session.cpp.
  [[nodiscard]] Ended serve(const std::stop_token& stop);
  [[nodiscard]] bool renew_credentials();
  void say_online();
  [[nodiscard]] bool may_send(Steady::time_point now) const;
  [[nodiscard]] bool converse();
  [[nodiscard]] bool send_next();
  void wait_for_work(const std::stop_token& stop);
  void acknowledged(std::int64_t id);
  void subscribed(std::int64_t id, bool granted);
  void break_session(const char* why);
  void end_session();
  void say_goodbye();
  [[nodiscard]] bool pause_before_retry(const std::stop_token& stop);
  void set_link(LinkState state);
  void note_up();
  void note_fault(const LinkFault& fault);
  void wake();

  const BrokerSettings settings_;
  const StatusMessage message_;
  const std::string telemetry_topic_, status_topic_;
  Outbox& outbox_;
  Conversations conversations_;
  const PublisherSeams seams_;
  const std::shared_ptr<Pulse> pulse_ = std::make_shared<Pulse>("publisher");
  Backoff backoff_;

  mutable std::mutex mutex_;  // guards all below; the outbox and the link are never called with it held
  std::condition_variable_any wake_;
  std::uint64_t changes_ = 0, seen_changes_ = 0;  // whatever the thread should look at
  PublisherStatus status_;
  SessionBreaks breaks_;
  AckWatch acks_;
  std::optional<LinkProblem> last_problem_;  // what the log said last; empty: that the link is up
  std::optional<LinkFault> lost_;            // the session in progress has broken
  bool goodbye_acknowledged_ = false;
  bool finishing_ = false, ended_ = false;
  int last_attempts_ = 0;  // connection attempts since finishing_
  Steady::time_point next_slot_, attempt_began_, look_at_credentials_at_;

  std::jthread thread_;
};

}  // namespace glimpse
