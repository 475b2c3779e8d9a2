#include "telemetry/link/wall_clock.hpp"

#include <string>

#include "core/utc.hpp"

namespace glimpse {
std::chrono::system_clock::time_point built_at() {
  return std::chrono::system_clock::from_time_t(GLIMPSE_BUILT_AT);
}

std::optional<LinkFault> clock_fault(std::chrono::system_clock::time_point now) {
  if (now >= built_at()) return std::nullopt;
  return LinkFault{LinkProblem::clock_not_set,
                   "this clock says " + utc(now) + ", which is before this program was built (" +
                       utc(built_at()) +
                       "): no certificate can be judged, so telemetry waits until it is set (timedatectl "
                       "shows it; systemd-timesyncd sets it, and needs a network)"};
}

bool wait_for_clock(const std::stop_token& stop, const WallClock& now, Steady::duration step) {
  while (clock_fault(now())) {
    if (!sleep_for(stop, step)) return false;
  }
  return true;
}

}  // namespace glimpse
