// Why sessions that began well break off again and again. MQTT 3.1.1 has no way to say it, so it is told from
// the pattern.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "core/waiting.hpp"
#include "telemetry/link/link_fault.hpp"

namespace glimpse {

enum class Topic {
  status,
  telemetry,
  subscriptions,  // of the conversations
  requests,       // what they send
};

/// AWS IoT Core closes the connection on a publish that the policy forbids, and when another client comes
/// with the same id. The publisher has one message on its way until the first of a topic is acknowledged, so
/// that the blame is certain. Not thread-safe.
class SessionBreaks {
 public:
  static constexpr int in_a_row = 3;  // once or twice is the network
  static constexpr auto at_once = std::chrono::seconds(5);
  static constexpr auto soon = std::chrono::seconds(60);
  static constexpr auto first_rest = std::chrono::minutes(5);
  static constexpr auto longest_rest = std::chrono::hours(6);

  static constexpr std::size_t topics = 4;

  /// `device` is the client id; the names are those of Topic, in its order.
  SessionBreaks(std::string device, std::array<std::string, topics> names);

  void began(Steady::time_point now);
  void published(Topic topic, Steady::time_point now);
  void acknowledged(Topic topic);
  /// The first message of this topic in this session is still on its way: nothing is sent beside it.
  [[nodiscard]] bool awaits_first(Topic topic) const;
  [[nodiscard]] bool awaits_any_first() const;
  /// The session broke. What the pattern says, if it says anything.
  [[nodiscard]] std::optional<LinkFault> broke(Steady::time_point now);

  /// The time until which nothing is published there: its publishes ended three sessions in a row, then one
  /// after each rest, which doubles from 5 minutes to 6 hours. In the past: none is set aside.
  [[nodiscard]] Steady::time_point rests_until(Topic topic) const { return of(topic).rests_until; }

 private:
  struct Seen {
    bool published = false, acknowledged = false;
    Steady::time_point published_at{}, rests_until{};
    int blamed = 0;                        // sessions in a row
    std::optional<Steady::duration> rest;  // the last one
  };
  [[nodiscard]] const Seen& of(Topic topic) const { return seen_[static_cast<std::size_t>(topic)]; }
  [[nodiscard]] Seen& of(Topic topic) { return seen_[static_cast<std::size_t>(topic)]; }
  [[nodiscard]] LinkFault forbidden(Topic topic) const;

  const std::string device_;
  const std::array<std::string, topics> names_;
  std::array<Seen, topics> seen_;
  Steady::time_point began_{};
  int short_sessions_ = 0;  // in a row, with something acknowledged
};

}  // namespace glimpse
