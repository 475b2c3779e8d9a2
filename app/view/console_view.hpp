// The live screen on a terminal: top-k with bars, rates, latency, the machine and the link.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/record.hpp"
#include "view/output.hpp"

namespace glimpse {

/// What stands on the screen for a record, `columns` wide (at least 20). `colour` adds ANSI colours.
[[nodiscard]] std::vector<std::string> render_console(const Record& record, int columns, bool colour);

/// Redraws ten times a second from a thread of its own, so that a slow terminal never slows inference.
class ConsoleView {
 public:
  /// `record` gives the record as of now.
  ConsoleView(Output& output, std::function<Record()> record);
  /// Draws once more and leaves the screen as it stands, the cursor below it.
  ~ConsoleView();
  ConsoleView(const ConsoleView&) = delete;
  ConsoleView& operator=(const ConsoleView&) = delete;

  /// A line (a log message) above the live part.
  void print_above(const std::string& line);

 private:
  void draw();
  [[nodiscard]] std::string back_to_top() const;

  Output& output_;
  const std::function<Record()> record_;
  SystemMeter system_meter_;  // the screen's own: a record may be a minute old
  SystemStatus system_;
  int draws_ = 0;
  std::mutex mutex_;
  std::size_t drawn_ = 0;  // lines of the live part on the screen now
  std::jthread thread_;
};

}  // namespace glimpse
