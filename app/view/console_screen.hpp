// What stands on the live screen: drawn here, without a terminal; console_view.hpp brings it onto one.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/record.hpp"
#include "view/terminal.hpp"

namespace glimpse {

constexpr int spark_seconds = 60;

struct ConsoleState {
  Record record;
  std::chrono::seconds uptime{0};
  /// Frames named in each second, the newest last; empty where the screen was not there yet.
  std::vector<std::optional<double>> fps_by_second;
};

/// The screen's lines, none wider than `size.columns` - 1 and no more than `size.rows`: the last column stays
/// free, because what a terminal does after it was filled differs. Where rows are short the blank lines go
/// first, then the least probable labels, then what is said of the machine. A bar behind a label that is not
/// ASCII goes to its column by CSI G, because terminals disagree on such a label's width, and CSI K before it
/// erases what is thereby left out.
[[nodiscard]] std::vector<std::string> render_console(const ConsoleState& state, TerminalSize size,
                                                      TerminalStyle style);

}  // namespace glimpse
