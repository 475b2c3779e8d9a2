// Records to an MQTT broker. Accepting one never waits for the network.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/backoff.hpp"
#include "core/waiting.hpp"
#include "telemetry/link/broker_settings.hpp"
#include "telemetry/message_queue.hpp"
#include "telemetry/link/mqtt_link.hpp"
#include "telemetry/sink.hpp"

namespace glimpse {

struct PublisherStatus {
  bool up = false;  // the broker has accepted us and the session stands
  bool ever_connected = false;
  std::chrono::system_clock::time_point since;  // of `up` as it is now
  std::uint64_t pending = 0;                    // accepted, not yet acknowledged
  std::uint64_t sent = 0;                       // acknowledged by the broker (PUBACK)
  std::uint64_t dropped = 0;                    // gone unsent because the queue was full
  std::string last_error;          // one line, "" where there was none; stays after the link came back
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

class Publisher : public Sink {
 public:
  static constexpr std::size_t max_queue_bytes =
      4 * 1024 * 1024;  // some 4,000 records; when full the oldest go, counted
  static constexpr std::size_t max_in_flight = 20;
  static constexpr std::chrono::milliseconds spacing{
      10};  // at most 100 publishes/s: AWS IoT Core, per connection
  static constexpr std::chrono::seconds connect_limit{10};
  static constexpr std::chrono::seconds ack_limit{30};  // no PUBACK for so long: the session is dead

  /// Starts the one thread. Throws Error(usage) for a bad URI; call validate_broker() first for the other
  /// checks. `version` is the program's, for the status message.
  Publisher(BrokerSettings settings, std::string version);
  Publisher(BrokerSettings settings, std::string version, PublisherSeams seams);
  ~Publisher() override;  // as finish(0)

  void accept(const Record& record) override;
  [[nodiscard]] PublisherStatus status() const;
  /// Goes on sending until all is acknowledged, for at most `patience` and two more attempts to connect; then
  /// says "offline", disconnects and ends the thread, which takes 2 s at most. Further calls do nothing.
  void finish(Steady::duration patience);

 private:
  enum class Ended { lost, done };

  void run(const std::stop_token& stop);
  [[nodiscard]] std::optional<LinkFault> connect(const std::stop_token& stop);
  [[nodiscard]] Ended serve(const std::stop_token& stop);
  void send_next(std::unique_lock<std::mutex>& lock);
  void say_goodbye();
  [[nodiscard]] bool pause_before_retry(const std::stop_token& stop);
  [[nodiscard]] std::string status_message(const char* state) const;
  void note_up();
  void note_fault(const LinkFault& fault);

  const BrokerSettings settings_;
  const std::string version_, telemetry_topic_, status_topic_;
  const PublisherSeams seams_;
  Backoff backoff_;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;  // something below has changed
  MessageQueue queue_{max_queue_bytes};
  PublisherStatus status_;
  std::optional<LinkProblem> last_problem_;  // what the log said last; empty: that the link is up
  std::optional<LinkFault> lost_;            // the session in progress has broken
  bool goodbye_acknowledged_ = false;
  bool finishing_ = false, ended_ = false;
  int last_attempts_ = 0;  // connection attempts since finishing_
  Steady::time_point next_slot_, last_progress_;

  std::jthread thread_;
};

}  // namespace glimpse
