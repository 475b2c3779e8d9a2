// At most so many an hour.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "core/waiting.hpp"

namespace glimpse {

/// A sliding window: in no hour, wherever it begins, are more than `limit` granted. What was granted is
/// counted by the minute and forgotten when the whole minute is an hour old, so room comes back up to a
/// minute late, and memory is at most 61 counts whatever the limit.
class HourlyCap {
 public:
  enum class Answer {
    granted,
    refused_anew,  // the first refusal after an hour without: worth a line in the log
    refused,
  };
  explicit HourlyCap(std::int64_t limit) : limit_(limit) {}
  /// What was granted within the hour counts on.
  void set_limit(std::int64_t limit) { limit_ = limit; }

  [[nodiscard]] Answer ask(Steady::time_point now);

 private:
  struct Minute {
    std::chrono::minutes at;
    std::int64_t granted;
  };
  std::int64_t limit_, granted_ = 0;
  std::deque<Minute> minutes_;  // oldest first
  std::optional<Steady::time_point> last_refusal_;
};

}  // namespace glimpse
