// What there is to tell of the run, as the page's interface tells it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "core/waiting.hpp"
#include "device/system_status.hpp"
#include "view/web/metrics.hpp"
#include "view/web/web_sources.hpp"

namespace glimpse {

/// Why the run is not healthy; "" where it is: a frame was named within 10 s.
[[nodiscard]] std::string health_fault(std::optional<Steady::time_point> last_named_at,
                                       Steady::time_point started_at, Steady::time_point now);

/// Thread-safe. All text is JSON on one line, but for the metrics.
class WebState {
 public:
  static constexpr std::size_t max_samples = 300;

  explicit WebState(const WebSources& sources) : sources_(sources) {}

  /// The record as of now, with a system status at most a second old.
  [[nodiscard]] Record record();
  [[nodiscard]] std::string status(const WebCounts& web);
  [[nodiscard]] std::string metrics(const WebCounts& web);
  /// Adds what is so now to the history; to be called once a second.
  void sample();
  [[nodiscard]] std::string history() const;
  /// As health_fault().
  [[nodiscard]] std::string fault() const;

 private:
  struct Sample {
    std::int64_t time_ms = 0;
    std::array<std::optional<double>, 6> values;
  };

  const WebSources& sources_;
  const Steady::time_point started_at_ = Steady::now();
  mutable std::mutex mutex_;  // guards all below
  SystemMeter meter_;
  SystemStatus system_;
  std::optional<Steady::time_point> metered_at_;
  std::deque<Sample> samples_;  // oldest first
};

}  // namespace glimpse
