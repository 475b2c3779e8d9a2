// What the log says when the firmware begins and ends to slow the machine down.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/waiting.hpp"
#include "device/thermals.hpp"

namespace glimpse {

/// One line when throttling begins, one for each kind that joins it, one when it has ended for good. A weak
/// supply comes and goes every few seconds: what comes back within `quiet` is the same event, so the log gets
/// a few lines a minute at most.
class ThrottleNotice {
 public:
  static constexpr auto quiet = std::chrono::seconds(60);
  struct Line {
    bool is_warning;
    std::string text;
  };
  /// Takes a reading, at least every few seconds; the line to log, where there is one.
  [[nodiscard]] std::optional<Line> after(const HeatStatus& heat, Steady::time_point now);

 private:
  std::vector<std::string> told_;  // the words of the event that goes on; empty: none does
  Steady::time_point last_seen_{};
};

}  // namespace glimpse
