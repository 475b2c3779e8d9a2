#include "view/console_screen.hpp"

#include <algorithm>
#include <ctime>

#include "core/text.hpp"
#include "view/glyphs.hpp"
#include "view/numbers.hpp"

namespace glimpse {
namespace {

constexpr const char* bold = "\x1b[1m";
constexpr const char* dim = "\x1b[2m";
constexpr const char* green = "\x1b[32m";
constexpr const char* yellow = "\x1b[33m";
constexpr const char* plain = "\x1b[0m";
constexpr const char* as_it_is = "";

constexpr std::size_t most_cores_shown = 16;
constexpr int heading_columns = 9, name_columns_from = 39, wide_from = 60;
constexpr int least_bar = 4, least_table = 14;
constexpr std::size_t guesses_kept = 3;  // where rows are short

struct Fact {
  std::string text;  // nothing is shown of an empty one
  const char* sgr = as_it_is;
};

struct Row {
  std::string heading;
  std::vector<Fact> facts;
};

/// "14:05:09", local time.
std::string clock_time(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  tm parts{};
  localtime_r(&seconds, &parts);
  char text[16] = "";
  strftime(text, sizeof(text), "%H:%M:%S", &parts);
  return text;
}

/// "3 d 4:05:09"
std::string span(std::chrono::seconds time) {
  const auto seconds = time.count();
  char text[48];
  std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", static_cast<long long>(seconds / 3600 % 24),
                static_cast<long long>(seconds / 60 % 60), static_cast<long long>(seconds % 60));
  return seconds < 86400 ? text : std::to_string(seconds / 86400) + " d " + text;
}

std::string count(std::uint64_t number, const char* what) {
  return std::to_string(number) + " " + what;
}

std::string unless_none(std::uint64_t number, const char* what) {
  return number == 0 ? "" : count(number, what);
}

std::string words(const std::optional<std::vector<std::string>>& list) {
  std::string text;
  for (const std::string& word : list.value_or(std::vector<std::string>{}))
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

class Screen {
 public:
  Screen(const ConsoleState& state, TerminalSize size, TerminalStyle style)
      : record_(state.record),
        state_(state),
        style_(style),
        width_(std::max(1, size.columns - 1)),
        rows_(static_cast<std::size_t>(std::max(1, size.rows))) {}

  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> head = head_lines(), guesses = guess_lines(), facts;
    for (const Row& row : {latency(), machine(), frames(), link(), error()}) add_wrapped(row, facts);
    const bool airy = head.size() + guesses.size() + facts.size() + 3 <= rows_;
    const auto cut = [&](std::vector<std::string>& part, std::size_t others, std::size_t least) {
      const std::size_t room = rows_ > others ? rows_ - others : 0;
      part.resize(std::min(part.size(), std::max(room, least)));
    };
    cut(guesses, head.size() + facts.size(), guesses_kept);
    cut(facts, head.size() + guesses.size(), 0);
    cut(guesses, head.size(), 0);
    cut(head, 0, 0);
    if (airy) head.insert(head.begin(), "");  // apart from the log above
    for (const auto* const part : {&guesses, &facts}) {
      if (airy && !part->empty()) head.emplace_back();
      head.insert(head.end(), part->begin(), part->end());
    }
    return head;
  }

 private:
  [[nodiscard]] std::string in(const char* sgr, const std::string& text) const {
    const std::string shown = style_.utf8 ? text : ascii_only(text);
    return style_.colour && *sgr != '\0' && !text.empty() ? sgr + shown + plain : shown;
  }

  [[nodiscard]] std::string fitted(const std::string& text) const {
    return display_width(text) > width_ ? fit_to_width(text, width_) : text;
  }

  /// The model and how long we have been running, side by side where there is room; the frame rate.
  [[nodiscard]] std::vector<std::string> head_lines() const {
    const ModelIdentity& model = record_.model;
    const std::string name =
        escape_control(model.name + (model.quantized ? " int8" : " float") + " on " + model.backend);
    const std::string up = "up " + span(state_.uptime);
    std::vector<std::string> lines;
    if (const int gap = width_ - display_width(name) - display_width(up); gap >= 2) {
      lines = {in(bold, name) + std::string(static_cast<std::size_t>(gap), ' ') + in(dim, up)};
    } else {
      lines = {in(bold, fitted(name)), in(dim, fitted(up))};
    }
    lines.push_back(rate_line());
    return lines;
  }

  [[nodiscard]] std::string rate_line() const {
    const std::string rate = fit_to_width(fixed(record_.inference_fps, 1) + " fps", 11);
    const bool tells_span = width_ >= 30;
    const int columns = std::min(spark_seconds, width_ - 11 - (tells_span ? 5 : 0));
    if (columns < least_bar) return in(bold, fitted(fixed(record_.inference_fps, 1) + " fps"));
    const auto shown = static_cast<std::size_t>(columns);
    const auto& all = state_.fps_by_second;
    std::vector<std::optional<double>> last(shown);
    std::copy_n(all.rbegin(), std::min(all.size(), shown), last.rbegin());
    double full = 0;
    for (const auto& value : last) full = std::max(full, value.value_or(0));
    return in(bold, rate) + in(green, sparkline(last, full, style_.blocks)) +
           (tells_span ? in(dim, " " + std::to_string(columns) + " s") : "");
  }

  [[nodiscard]] std::vector<std::string> guess_lines() const {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < record_.predictions.size(); ++i) lines.push_back(guess_line(i));
    return lines;
  }

  /// " 1 guitar     ████████████▎      94.7 %"
  [[nodiscard]] std::string guess_line(std::size_t index) const {
    const Prediction& guess = record_.predictions[index];
    const char* const weight = index == 0 ? bold : as_it_is;
    const std::string label = escape_control(guess.label);
    if (width_ < least_table) return in(weight, fitted(label));
    const int rank_columns = record_.predictions.size() < 100 ? 2 : 4;
    const int decimals = width_ < name_columns_from ? 0 : 1;
    const int percent_columns = decimals == 0 ? 6 : 8;
    const int room = width_ - rank_columns - 1 - percent_columns;
    int label_columns = std::clamp(width_ * 3 / 10, 8, 28);
    const int bar_columns = std::max(0, room - label_columns - 1);
    const bool has_bar = bar_columns >= least_bar;
    if (!has_bar) label_columns = room;

    const std::string name = fit_to_width(label, label_columns);
    std::string line = to_right(std::to_string(index + 1), rank_columns) + " ";
    line = in(weight, line + name);
    const bool is_ascii =
        std::all_of(label.begin(), label.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (!is_ascii && style_.utf8)
      line += "\x1b[K\x1b[" + std::to_string(rank_columns + 1 + label_columns + 1) + "G";
    if (has_bar) {
      const std::string filled = bar(guess.probability, bar_columns, style_.blocks);
      line += " " + in(green, filled) +
              std::string(static_cast<std::size_t>(bar_columns - display_width(filled)), ' ');
    }
    return line + in(weight, to_right(fixed(100 * guess.probability, decimals) + " %", percent_columns));
  }

  [[nodiscard]] Row latency() const {
    const auto& ms = record_.inference_ms;
    if (!ms) return {"latency", {{"-"}}};
    return {"latency",
            {{"p50 " + fixed(ms->p50, 1)},
             {"p90 " + fixed(ms->p90, 1)},
             {"p99 " + fixed(ms->p99, 1) + " ms"},
             {record_.preprocess_ms ? "preprocess " + fixed(record_.preprocess_ms, 1) + " ms" : ""},
             {"age " + fixed(record_.frame_age_ms, 0) + " ms"}}};
  }

  [[nodiscard]] Row machine() const {
    const SystemStatus& system = record_.system;
    const HeatStatus& heat = system.heat;
    std::string cpu = "cpu " + fixed(system.cpu_percent, 0) + " %";
    if (system.per_core && system.per_core->size() <= most_cores_shown)
      cpu += " " + sparkline({system.per_core->begin(), system.per_core->end()}, 100, style_.blocks);
    const bool slower = heat.cpu_mhz && heat.cpu_max_mhz && *heat.cpu_mhz < *heat.cpu_max_mhz;
    const std::string clock =
        heat.cpu_mhz ? fixed(heat.cpu_mhz, 0) + (slower ? " of " + fixed(heat.cpu_max_mhz, 0) : "") + " MHz"
                     : "";
    const std::string now = words(heat.throttled), since = words(heat.throttled_since_start);
    return {"machine",
            {{cpu},
             {"rss " + fixed(system.rss_mb, 0) + " MiB"},
             {heat.temperature_c ? fixed(heat.temperature_c, 1) + (style_.utf8 ? " °C" : " C") : ""},
             {clock},
             {now, yellow},
             {since.empty() || since == now ? "" : "earlier: " + since, dim}}};
  }

  [[nodiscard]] Row frames() const {
    return {"frames",
            {{count(record_.frames_seen, "seen")},
             {count(record_.frames_dropped, "dropped")},
             {unless_none(record_.frames_left_out, "left out")},
             {unless_none(record_.frames_skipped, "skipped"), yellow},
             {record_.frame_index ? "at " + std::to_string(*record_.frame_index) : ""},
             {"capture " + fixed(record_.capture_fps, 1) + " fps"},
             {record_.target_fps ? "taking " + fixed(record_.target_fps, 1) + " fps: " + record_.target_reason
                                 : "",
              yellow}}};
  }

  [[nodiscard]] Row link() const {
    const auto& link = record_.delivery;
    if (!link) return {};
    return {"broker",
            {{std::string(word_for(link->link)) + " since " + clock_time(link->link_since_ms),
              link->link == LinkState::connected ? as_it_is : yellow},
             {count(link->pending, "pending")},
             {count(link->sent, "sent")},
             {count(link->acknowledged, "acknowledged")},
             {unless_none(link->resent, "resent")},
             {unless_none(link->dropped, "dropped"), yellow}}};
  }

  [[nodiscard]] Row error() const {
    const auto& link = record_.delivery;
    if (!link || link->last_error.empty()) return {};
    return {"",
            {{"last error, " + clock_time(link->last_error_ms) + ": " + link->last_error,
              link->link == LinkState::connected ? dim : yellow}}};
  }

  /// A row's facts on as few lines as hold them, a long one on several, its heading before the first where
  /// there is room for one.
  void add_wrapped(const Row& row, std::vector<std::string>& lines) const {
    const int indent = width_ < name_columns_from ? 0 : heading_columns;
    const int room = width_ - indent;
    const int gap = width_ < wide_from ? 2 : 3;
    int used = room + 1;  // the first fact begins a line
    bool first = true;
    for (const Fact& fact : row.facts) {
      if (fact.text.empty()) continue;
      for (const std::string& text : wrap_to_width(escape_control(fact.text), room)) {
        const int columns = display_width(text);
        if (used + gap + columns <= room) {
          lines.back() += std::string(static_cast<std::size_t>(gap), ' ') + in(fact.sgr, text);
          used += gap + columns;
          continue;
        }
        lines.push_back((indent > 0 ? in(dim, fit_to_width(first ? row.heading : "", indent)) : "") +
                        in(fact.sgr, text));
        used = columns;
        first = false;
      }
    }
  }

  const Record& record_;
  const ConsoleState& state_;
  const TerminalStyle style_;
  const int width_;
  const std::size_t rows_;
};

}  // namespace

std::vector<std::string> render_console(const ConsoleState& state, TerminalSize size, TerminalStyle style) {
  return Screen(state, size, style).lines();
}

}  // namespace glimpse
