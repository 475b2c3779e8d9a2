// Whether a thread gets on with its work: it says when it begins a step, others look.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "core/waiting.hpp"

namespace glimpse {

/// Of one thread. Between two steps it waits for others, however long: that is not being stuck.
class Pulse {
 public:
  explicit Pulse(std::string name) : name_(std::move(name)) {}

  /// A step begins, or the one in progress gives a sign of life. `allowance`: it may well take so long, and
  /// counts only from then on.
  void beat(Steady::duration allowance = {}) noexcept {
    since_.store((Steady::now() + allowance).time_since_epoch().count(), std::memory_order_relaxed);
  }
  /// As beat(), but a step in progress stays as old as it is.
  void beat_once() noexcept {
    if (since_.load(std::memory_order_relaxed) == resting) beat();
  }
  void rest() noexcept { since_.store(resting, std::memory_order_relaxed); }

  /// How long the step in progress has lasted, beyond its allowance; nothing between two.
  [[nodiscard]] std::optional<Steady::duration> busy_for(Steady::time_point now) const noexcept {
    const auto since = since_.load(std::memory_order_relaxed);
    if (since == resting) return std::nullopt;
    return now.time_since_epoch() - Steady::duration(since);
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  static constexpr Steady::rep resting = 0;

  const std::string name_;
  std::atomic<Steady::rep> since_{resting};  // steady clock
};

/// A step, from here to the end of the scope.
class Step {
 public:
  explicit Step(Pulse& pulse, Steady::duration allowance = {}) : pulse_(pulse) { pulse_.beat(allowance); }
  ~Step() { pulse_.rest(); }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

 private:
  Pulse& pulse_;
};

/// The other way round: a wait within a step.
class Rest {
 public:
  explicit Rest(Pulse& pulse) : pulse_(pulse) { pulse_.rest(); }
  ~Rest() { pulse_.beat(); }
  Rest(const Rest&) = delete;
  Rest& operator=(const Rest&) = delete;

 private:
  Pulse& pulse_;
};

}  // namespace glimpse
