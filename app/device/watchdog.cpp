#include "device/watchdog.hpp"

#include <chrono>

namespace glimpse {

void Watchdog::watch(std::shared_ptr<const Pulse> pulse) {
  const std::lock_guard lock(mutex_);
  pulses_.push_back(std::move(pulse));
}

Watchdog::Verdict Watchdog::look(Steady::time_point now) {
  const std::lock_guard lock(mutex_);
  std::string names, told;
  for (const auto& pulse : pulses_) {
    const auto busy = pulse->busy_for(now);
    if (!busy || *busy <= limit_) continue;
    const char* const separator = names.empty() ? "" : ", ";
    names += separator + pulse->name();
    told += separator + pulse->name() + " for " +
            std::to_string(std::chrono::floor<std::chrono::seconds>(*busy).count()) + " s";
  }
  const bool changed = names != stuck_;
  stuck_ = names;
  if (!changed) return {names.empty(), {}};
  if (names.empty()) return {true, "watchdog: all move again"};
  return {false, "watchdog: stuck in one step: " + told + "; it is not fed until that is over"};
}

}  // namespace glimpse
