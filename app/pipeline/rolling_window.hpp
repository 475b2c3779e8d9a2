// Rates and percentiles over the last moments.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "core/waiting.hpp"
#include "telemetry/record.hpp"

namespace glimpse {

/// Events with a value each, kept for `span` and never more than max_events (the oldest go; the span is then
/// shorter).
class RollingWindow {
 public:
  static constexpr std::size_t max_events = 4096;
  static constexpr Steady::duration always = Steady::duration::max();

  explicit RollingWindow(Steady::duration span) : span_(span) {}
  /// A longer one fills up from here on.
  void set_span(Steady::duration span) { span_ = span; }

  void add(Steady::time_point now, double value);
  /// Events per second from the oldest kept, and no older than `over`, to `now`; nothing before the second
  /// event. The last two are kept for it however old they are.
  [[nodiscard]] std::optional<double> rate(Steady::time_point now, Steady::duration over = always);
  /// Nearest-rank percentiles of the values within the span, and within `over`; nothing when there are none.
  [[nodiscard]] std::optional<Percentiles> percentiles(Steady::time_point now,
                                                       Steady::duration over = always);

 private:
  struct Event {
    Steady::time_point at;
    double value;
  };
  void forget(Steady::time_point now);

  Steady::duration span_;
  std::deque<Event> events_;
};

}  // namespace glimpse
