#include "view/console_view.hpp"

namespace glimpse {
namespace {

constexpr auto redraw_every = std::chrono::milliseconds(100);
constexpr std::size_t most_above = 1000;
constexpr auto second = std::chrono::seconds(1);

// Terminals that know mode 2026 show all between these at once; the others ignore it. Without wrapping (mode
// 7) a line that a terminal finds too long cannot make it scroll.
constexpr const char* begin = "\x1b[?2026h\x1b[?25l\x1b[?7l\r";
constexpr const char* erase_rest = "\x1b[K";  // after the text: erased before, all would flicker elsewhere
constexpr const char* end = "\x1b[?7h\x1b[?2026l";

}  // namespace

ConsoleView::ConsoleView(Output& output, std::function<Now()> now)
    : output_(output), now_(std::move(now)), thread_([this](const std::stop_token& stop) {
        do draw(false);
        while (sleep_for(stop, redraw_every));
      }) {}

ConsoleView::~ConsoleView() {
  thread_.request_stop();
  thread_.join();
  draw(true);
}

void ConsoleView::count_frames(std::uint64_t classified, Steady::time_point now) {
  if (now < next_second_) return;
  system_ = system_meter_.read();
  if (next_second_ == start_) {  // shares of no time at all
    system_.cpu_percent.reset();
    system_.per_core.reset();
  } else {
    const double seconds = std::chrono::duration<double>(now - next_second_ + second).count();
    fps_by_second_.emplace_back(static_cast<double>(classified - counted_) / seconds);
    if (fps_by_second_.size() > spark_seconds) fps_by_second_.pop_front();
  }
  counted_ = classified;
  next_second_ = now + second;
}

/// The cursor waits in the screen's top left corner: wherever a resized terminal moves the lines, it moves
/// the cursor with the first one, and the next drawing begins there.
std::string ConsoleView::screen(bool last) const {
  std::string text;
  for (const std::string& line : lines_) text += (text.empty() ? "" : "\r\n") + line + erase_rest;
  text += "\x1b[J";
  if (last) return text + "\r\n\x1b[?25h";
  return text + (lines_.size() > 1 ? "\x1b[" + std::to_string(lines_.size() - 1) + "A\r" : "\r");
}

void ConsoleView::draw(bool last) {
  Now now = now_();
  const std::lock_guard lock(mutex_);
  const auto time = Steady::now();
  count_frames(now.classified, time);
  now.record.system = system_;
  lines_ = render_console({std::move(now.record),
                           std::chrono::duration_cast<std::chrono::seconds>(time - start_),
                           {fps_by_second_.begin(), fps_by_second_.end()}},
                          terminal_size(), style_);
  show(last);
}

void ConsoleView::print_above(const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (above_.size() == most_above) above_.pop_front();
  above_.push_back(line);
  show(false);
}

void ConsoleView::show(bool last) {
  const bool with_screen = !lines_.empty() && TerminalGuard::take();
  if (!with_screen && above_.empty()) return;
  std::string text = with_screen && !above_.empty() ? "\r\x1b[J" : "";
  for (const std::string& line : above_) text += line + "\r\n";  // may be longer than the screen is wide
  if (with_screen) text += begin + screen(last) + end;
  if (last)
    output_.write(text);
  else if (!output_.try_write(text))
    return;
  above_.clear();
}

}  // namespace glimpse
