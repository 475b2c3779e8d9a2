// Tells when a thread is stuck.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/pulse.hpp"

namespace glimpse {

class Watchdog {
 public:
  /// Stuck is a thread whose step has lasted longer than `limit`.
  explicit Watchdog(Steady::duration limit) : limit_(limit) {}

  void watch(std::shared_ptr<const Pulse> pulse);

  struct Verdict {
    bool all_move = true;
    std::string news;  // one line for the log, once for each change
  };
  [[nodiscard]] Verdict look(Steady::time_point now);

 private:
  const Steady::duration limit_;
  std::mutex mutex_;  // guards all below
  std::vector<std::shared_ptr<const Pulse>> pulses_;
  std::string stuck_;  // the names, "" while all move
};

}  // namespace glimpse
