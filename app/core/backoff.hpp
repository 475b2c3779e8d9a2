// How long to wait before the next attempt.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>

namespace glimpse {

/// Exponential back-off with full jitter: attempt n waits a random time in [0, min(cap, base * 2^n)].
/// Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. `random01` gives numbers in [0, 1).
class Backoff {
 public:
  using Milliseconds = std::chrono::milliseconds;
  Backoff(Milliseconds base, Milliseconds cap, std::function<double()> random01)
      : base_(base), cap_(cap), ceiling_(base), random01_(std::move(random01)) {}

  [[nodiscard]] Milliseconds next() {
    const auto wait = Milliseconds(static_cast<long>(random01_() * static_cast<double>(ceiling_.count())));
    ceiling_ = std::min(cap_, ceiling_ * 2);
    return wait;
  }
  void reset() { ceiling_ = base_; }

 private:
  Milliseconds base_, cap_, ceiling_;
  std::function<double()> random01_;
};

}  // namespace glimpse
