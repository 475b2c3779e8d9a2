// Waiting that a stop can interrupt.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace glimpse {

using Steady = std::chrono::steady_clock;

/// Sleeps until `deadline`. Returns false as soon as `stop` is requested, true when the time has passed.
[[nodiscard]] inline bool sleep_until(const std::stop_token& stop, Steady::time_point deadline) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_until(lock, stop, deadline, [] { return false; });
  return !stop.stop_requested();
}

[[nodiscard]] inline bool sleep_for(const std::stop_token& stop, Steady::duration duration) {
  return sleep_until(stop, Steady::now() + duration);
}

}  // namespace glimpse
