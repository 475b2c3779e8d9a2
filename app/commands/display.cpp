#include "commands/display.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "view/lines_view.hpp"
#include "view/log.hpp"
#include "view/terminal.hpp"

namespace glimpse {

Display::Display(bool json, std::function<void()> on_closed)
    : output_(std::move(on_closed)),
      to_log_(json || is_journal(STDOUT_FILENO)),
      has_screen_(!json && is_live_terminal()) {
  if (json)
    records_ = std::make_unique<JsonView>(output_);
  else if (!has_screen_ && !to_log_)
    records_ = std::make_unique<LinesView>(output_);
}

void Display::announce(const std::string& line) {
  to_log_ ? spdlog::info("{}", line) : output_.write(line + "\n");
}

bool Display::is_private() const {
  return !to_log_ && ::isatty(STDOUT_FILENO) == 1;
}

Display::Screen::Screen(Output& output, std::function<ConsoleView::Now()> now)
    : view_(output, std::move(now)) {
  log_above(&view_);
}

Display::Screen::~Screen() {
  log_above(nullptr);
}

std::unique_ptr<Display::Screen> Display::open_screen(std::function<ConsoleView::Now()> now) {
  return has_screen_ ? std::make_unique<Screen>(output_, std::move(now)) : nullptr;
}

}  // namespace glimpse
