#include "view/progress_bar.hpp"

#include <unistd.h>

#include <string>
#include <string_view>

namespace glimpse {
namespace {

constexpr std::size_t bar_columns = 40;
constexpr auto redraw_interval = std::chrono::milliseconds(100);

void write_to_terminal(std::string_view text) {
  (void)!::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

ProgressBar::ProgressBar(std::size_t total) : total_(total), terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressBar::show(std::size_t done) {
  const auto now = Steady::now();
  if (!terminal_ || now < next_draw_) return;
  next_draw_ = now + redraw_interval;
  drawn_ = true;
  std::string line = "\r[" + std::string(bar_columns * done / total_, '#');
  line.resize(bar_columns + 2, '.');
  write_to_terminal(line + "] " + std::to_string(done) + " of " + std::to_string(total_));
}

void ProgressBar::clear() {
  if (drawn_) write_to_terminal("\r\x1b[K");
  drawn_ = false;
  next_draw_ = {};
}

}  // namespace glimpse
