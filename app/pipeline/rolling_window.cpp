#include "pipeline/rolling_window.hpp"

#include <algorithm>
#include <vector>

#include "core/percentile.hpp"

namespace glimpse {

void RollingWindow::forget(Steady::time_point now) {
  // The last two stay however old they are: a network that takes a second for a frame has a rate, too.
  while (events_.size() > max_events || (events_.size() > 2 && events_.front().at < now - span_)) {
    events_.pop_front();
  }
}

void RollingWindow::add(Steady::time_point now, double value) {
  events_.push_back({now, value});
  forget(now);
}

std::optional<double> RollingWindow::rate(Steady::time_point now, Steady::duration over) {
  forget(now);
  if (events_.size() < 2) return std::nullopt;
  const auto last_two = events_.end() - 2;
  const auto first =
      std::find_if(events_.begin(), last_two, [&](const Event& event) { return now - event.at <= over; });
  // n events bound n - 1 intervals. A source that has fallen silent shows as a falling rate: the time since
  // its last event counts once it is longer than an interval.
  const double newest = std::chrono::duration<double>(events_.back().at - first->at).count();
  const double silent = std::chrono::duration<double>(now - events_.back().at).count();
  const double intervals = static_cast<double>(events_.end() - first - 1);
  const double elapsed = newest + std::max(0.0, silent - newest / intervals);
  return elapsed > 0 ? std::optional(intervals / elapsed) : std::nullopt;
}

std::optional<Percentiles> RollingWindow::percentiles(Steady::time_point now, Steady::duration over) {
  forget(now);
  std::vector<double> values;
  values.reserve(events_.size());
  for (const Event& event : events_) {
    if (now - event.at <= std::min(span_, over)) values.push_back(event.value);
  }
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  return Percentiles{percentile(values, 0.50), percentile(values, 0.90), percentile(values, 0.99)};
}

}  // namespace glimpse
