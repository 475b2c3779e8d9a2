#include "view/console_view.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "core/text.hpp"
#include "core/waiting.hpp"
#include "view/numbers.hpp"

namespace glimpse {
namespace {

constexpr auto redraw_every = std::chrono::milliseconds(100);
constexpr int redraws_per_system_reading = 10;

constexpr const char* bold = "\x1b[1m";
constexpr const char* green = "\x1b[32m";
constexpr const char* dim = "\x1b[2m";
constexpr const char* plain = "\x1b[0m";

/// A bar of `share` (0..1) of `columns`, in eighths of a column.
std::string bar(double share, int columns) {
  static constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int filled = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * columns * 8));
  std::string text;
  for (int i = 0; i < filled / 8; ++i) text += "█";
  return text + eighths[filled % 8];
}

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!part.empty()) text += (text.empty() ? "" : "   ") + part;
  }
  return text;
}

std::string words(const std::optional<std::vector<std::string>>& list) {
  std::string text;
  for (const std::string& word : list.value_or(std::vector<std::string>{}))
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// "1500 of 1800 MHz   under-voltage   earlier: under-voltage, throttled", as far as it is known.
std::string speed_and_throttling(const HeatStatus& heat) {
  const bool slower = heat.cpu_mhz && heat.cpu_max_mhz && *heat.cpu_mhz < *heat.cpu_max_mhz;
  const std::string now = words(heat.throttled), since = words(heat.throttled_since_start);
  return join({heat.cpu_mhz
                   ? fixed(heat.cpu_mhz, 0) + (slower ? " of " + fixed(heat.cpu_max_mhz, 0) : "") + " MHz"
                   : "",
               now, since.empty() || since == now ? "" : "earlier: " + since});
}

/// "14:05:09", local time.
std::string clock_time(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  tm parts{};
  localtime_r(&seconds, &parts);
  char text[16] = "";
  strftime(text, sizeof(text), "%H:%M:%S", &parts);
  return text;
}

std::string link_line(const std::optional<DeliveryStatus>& delivery) {
  if (!delivery) return "";
  const auto count = [](std::uint64_t number, const char* what) {
    return std::to_string(number) + " " + what;
  };
  return join(
      {std::string("broker ") + word_for(delivery->link) + " since " + clock_time(delivery->link_since_ms),
       count(delivery->pending, "pending"), count(delivery->sent, "sent"),
       count(delivery->acknowledged, "acknowledged"), count(delivery->resent, "resent"),
       count(delivery->dropped, "dropped")});
}

std::string error_line(const std::optional<DeliveryStatus>& delivery) {
  if (!delivery || delivery->last_error.empty()) return "";
  return "last error, " + clock_time(delivery->last_error_ms) + ": " + delivery->last_error;
}

int terminal_columns() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int terminal_rows() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

}  // namespace

std::vector<std::string> render_console(const Record& record, int columns, bool colour) {
  const auto in = [&](const char* style, const std::string& text) {
    return colour ? style + text + plain : text;
  };
  const int width = std::max(columns, 20);
  const SystemStatus& system = record.system;
  const auto& ms = record.inference_ms;
  std::vector<std::string> lines;
  const std::vector<std::string> facts{
      join({fixed(record.inference_fps, 1) + " fps", "capture " + fixed(record.capture_fps, 1) + " fps",
            "dropped " + std::to_string(record.frames_dropped),
            "frame " + (record.frame_index ? std::to_string(*record.frame_index) : "-")}),
      record.target_fps ? "taking " + fixed(record.target_fps, 1) + " fps: " + record.target_reason : "",
      join({"inference " +
                (ms ? fixed(ms->p50, 1) + " / " + fixed(ms->p90, 1) + " / " + fixed(ms->p99, 1) : "-") +
                " ms",
            "age " + fixed(record.frame_age_ms, 0) + " ms", "(p50 / p90 / p99)"}),
      join({"cpu " + fixed(system.cpu_percent, 0) + " %", "rss " + fixed(system.rss_mb, 0) + " MB",
            system.heat.temperature_c ? fixed(system.heat.temperature_c, 1) + " °C" : "",
            speed_and_throttling(system.heat)}),
      link_line(record.delivery),
      error_line(record.delivery)};
  for (const std::string& fact : facts) {
    if (!fact.empty())
      lines.push_back(in(lines.empty() ? bold : dim, fit_to_width(escape_control(fact), width)));
  }
  lines.emplace_back();

  const int label_columns = std::clamp(width * 3 / 10, 8, 28);
  const int bar_columns = width - label_columns - 13;  // "10 " before, " 100.0 %" and a space after
  int rank = 0;
  for (const Prediction& guess : record.predictions) {
    ++rank;
    const std::string text = (rank < 10 ? " " : "") + std::to_string(rank) + " " +
                             fit_to_width(escape_control(guess.label), label_columns);
    const std::string percent = fixed(100 * guess.probability, 1) + " %";
    const std::string bars =
        bar_columns > 0 ? fit_to_width(bar(guess.probability, bar_columns), bar_columns) : "";
    lines.push_back(in(rank == 1 ? bold : plain, text) + " " + in(green, bars) + " " +
                    std::string(percent.size() < 7 ? 7 - percent.size() : 0, ' ') + percent);
  }
  return lines;
}

ConsoleView::ConsoleView(Output& output, std::function<Record()> record)
    : output_(output), record_(std::move(record)) {
  output_.write("\x1b[?25l");  // no cursor jumping about
  thread_ = std::jthread([this](const std::stop_token& stop) {
    do draw();
    while (sleep_for(stop, redraw_every));
  });
}

ConsoleView::~ConsoleView() {
  thread_.request_stop();
  thread_.join();
  draw();
  output_.write("\x1b[?25h");
}

std::string ConsoleView::back_to_top() const {
  return drawn_ == 0 ? "\r" : "\x1b[" + std::to_string(drawn_) + "A\r";
}

void ConsoleView::draw() {
  Record record = record_();
  const std::lock_guard lock(mutex_);
  if (draws_++ % redraws_per_system_reading == 0) system_ = system_meter_.read();
  record.system = system_;
  std::vector<std::string> lines = render_console(record, terminal_columns(), true);
  // A screen lower than the text would scroll at each redraw.
  lines.resize(std::min(lines.size(), static_cast<std::size_t>(std::max(1, terminal_rows() - 1))));
  std::string text = back_to_top();
  for (const std::string& line : lines) text += line + "\x1b[K\n";
  output_.write(text + "\x1b[J");
  drawn_ = lines.size();
}

void ConsoleView::print_above(const std::string& line) {
  const std::lock_guard lock(mutex_);
  output_.write(back_to_top() + "\x1b[J" + line + "\n");
  drawn_ = 0;
}

}  // namespace glimpse
