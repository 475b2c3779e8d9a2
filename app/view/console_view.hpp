// The live screen on a terminal: top-k with bars, rates, latency, the machine and the link.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/waiting.hpp"
#include "telemetry/record.hpp"
#include "view/console_screen.hpp"
#include "view/output.hpp"
#include "view/terminal.hpp"

namespace glimpse {

/// Redraws ten times a second from a thread of its own, so that a slow terminal never slows inference. Each
/// time it asks how large the terminal is.
class ConsoleView {
 public:
  struct Now {
    Record record;
    std::uint64_t classified = 0;  // frames named since the start
  };
  ConsoleView(Output& output, std::function<Now()> now);
  /// Draws once more and leaves the screen as it stands, the cursor below it.
  ~ConsoleView();
  ConsoleView(const ConsoleView&) = delete;
  ConsoleView& operator=(const ConsoleView&) = delete;

  /// A line (a log message) above the live part. Does not wait for the terminal: the last 1000 lines wait
  /// for it instead, and older ones are gone.
  void print_above(const std::string& line);

 private:
  void draw(bool last);
  void show(bool last);
  void count_frames(std::uint64_t classified, Steady::time_point now);
  [[nodiscard]] std::string screen(bool last) const;

  Output& output_;
  const std::function<Now()> now_;
  const TerminalStyle style_ = terminal_style();
  const Steady::time_point start_ = Steady::now();
  TerminalGuard guard_;
  SystemMeter system_meter_;  // the screen's own: a record may be a minute old
  SystemStatus system_;
  Steady::time_point next_second_ = start_;
  std::uint64_t counted_ = 0;
  std::deque<std::optional<double>> fps_by_second_;
  std::mutex mutex_;
  std::vector<std::string> lines_;  // of the screen, as last drawn
  std::deque<std::string> above_;   // lines to print above it
  std::jthread thread_;
};

}  // namespace glimpse
