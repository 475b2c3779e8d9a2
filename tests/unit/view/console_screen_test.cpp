#include "view/console_screen.hpp"

#include <clocale>
#include <cmath>
#include <cstdlib>

#include "catch.hpp"
#include "example_record.hpp"

using namespace glimpse;

namespace {

constexpr TerminalStyle plain_blocks{false, true, true};

/// A run of five minutes at 30 fps, the last two seconds slower.
ConsoleState example_state() {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  ConsoleState state{example_record(), std::chrono::seconds(303), {30.0, 30.0, 15.0, 0.0}};
  state.record.model = {"demo", true, "onednn", ""};
  state.record.frames_seen = 375;
  state.record.predictions = {{7, "umbrella", 0.931}, {2, "birthday cake with many candles", 0.05}};
  return state;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string shown(const Record& record, int columns = 200) {
  return text_of(render_console({record, {}, {}}, {columns, 50}, plain_blocks));
}

/// Columns of what the labels below are made of, by EastAsianWidth.txt and UnicodeData.txt: app/core/text.hpp
/// has no say in it. A heart before U+FE0F is counted as wide, as most terminals show it.
int columns_of(const std::string& line) {
  int columns = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const auto first = static_cast<unsigned char>(line[at]);
    if (first >= 0x80 && first < 0xc0) continue;  // no start of a character
    const std::string_view rest = std::string_view(line).substr(at);
    const auto is = [&](std::string_view character) { return rest.substr(0, character.size()) == character; };
    const bool combining = (is("\u0308") || is("\u0316") || is("\u0321") || is("\u0334") || is("\u0335") ||
                            is("\u0337") || is("\u0338") || is("\u200d"));
    const bool wide = is("傘") || is("👩") || is("👧") || is("👦") || is("\U0001fae8") || is("❤\ufe0f");
    columns += combining || is("\ufe0f") ? 0 : wide ? 2 : 1;
  }
  return columns;
}

}  // namespace

// Expected, worked out by hand: 79 columns are used. 60 for the rate's line from column 12 on; a label has
// 79 * 3 / 10 = 23, its bar 79 - 3 - 23 - 1 - 8 = 44, so 0.931 is 40.96 columns and a 20th 2.2 (in eighths:
// 41, 2 2/8).
TEST_CASE("The screen at 80 columns") {
  const auto lines = render_console(example_state(), {80, 24}, plain_blocks);
  const std::string expected =
      "\n"
      "demo int8 on onednn" +
      std::string(50, ' ') + "up 0:05:03\n" + "98.1 fps   " + std::string(56, ' ') + "▇▇▄▁ 60 s\n" +
      "\n"
      " 1 umbrella                █████████████████████████████████████████     93.1 %\n"
      " 2 birthday cake with man… ██▎                                            5.0 %\n"
      "\n"
      "latency  p50 8.1   p90 8.5   p99 9.0 ms   age 9 ms\n"
      "machine  cpu 51 %   rss - MiB\n"
      "frames   375 seen   3 dropped   at 371   capture 98.3 fps\n";
  CHECK(text_of(lines) == expected);
}

// 39 columns: 23 seconds; label 39 * 3 / 10 = 11, bar 39 - 3 - 11 - 1 - 8 = 16: 14.896 and 0.8 columns.
TEST_CASE("The screen at 40 columns") {
  const std::string expected =
      "\n"
      "demo int8 on onednn          up 0:05:03\n"
      "98.1 fps                      ▇▇▄▁ 23 s\n"
      "\n"
      " 1 umbrella    ██████████████▉   93.1 %\n"
      " 2 birthday c… ▊                  5.0 %\n"
      "\n"
      "latency  p50 8.1  p90 8.5  p99 9.0 ms\n"
      "         age 9 ms\n"
      "machine  cpu 51 %  rss - MiB\n"
      "frames   375 seen  3 dropped  at 371\n"
      "         capture 98.3 fps\n";
  CHECK(text_of(render_console(example_state(), {40, 24}, plain_blocks)) == expected);
}

// 19 columns: no room for bars, and percents without decimals.
TEST_CASE("The screen at 20 columns") {
  const std::string expected =
      "\n"
      "demo int8 on onednn\n"
      "up 0:05:03\n"
      "98.1 fps       ▇▇▄▁\n"
      "\n"
      " 1 umbrella    93 %\n"
      " 2 birthday …   5 %\n"
      "\n"
      "p50 8.1  p90 8.5\n"
      "p99 9.0 ms\n"
      "age 9 ms\n"
      "cpu 51 %  rss - MiB\n"
      "375 seen  3 dropped\n"
      "at 371\n"
      "capture 98.3 fps\n";
  CHECK(text_of(render_console(example_state(), {20, 24}, plain_blocks)) == expected);
}

TEST_CASE("A terminal that knows ASCII alone gets nothing else, in the same columns") {
  ConsoleState state = example_state();
  state.record.predictions = {{0, "傘 ü", 0.5}, {1, "birthday cake with many candles", 1}};
  state.record.system.heat.temperature_c = 61.25;
  const auto lines = render_console(state, {80, 24}, {false, false, false});
  CHECK(lines.at(2) == "98.1 fps   " + std::string(56, ' ') + "##=_ 60 s");
  CHECK(lines.at(4) ==
        " 1 ?? ?" + std::string(20, ' ') + std::string(22, '#') + std::string(24, ' ') + "50.0 %");
  CHECK(lines.at(5) == " 2 birthday cake with man~ ############################################ 100.0 %");
  for (const std::string& line : lines) {
    for (const char c : line) CHECK((c >= ' ' && c <= '~'));
  }
  CHECK_THAT(lines.at(8), ContainsSubstring("61.2 C"));
}

TEST_CASE("No label makes a line too wide, breaks it or steers the terminal") {
  // Long, wide, zero-width, right-to-left, joined emoji, broken UTF-8, escapes of 7 and 8 bits.
  const std::vector<std::string> labels{std::string(10000, 'x'),
                                        "傘傘傘傘傘傘傘傘傘傘傘傘傘傘傘傘傘傘傘傘傘傘傘傘傘",
                                        "Z\u0335\u0321\u0316a\u0334\u0308l\u0337g\u0338o",
                                        "שלום עולם, مرحبا بالعالم",
                                        "👩\u200d👩\u200d👧\u200d👦 ❤\ufe0f \U0001fae8",
                                        "\xff\xfe\xe5\x82",
                                        "\x1b[2J\x1b]0;title\x07\r\n\t\b",
                                        "\u009b2J\u0085\u202e",
                                        ""};
  for (const int columns : {1, 2, 3, 5, 10, 14, 15, 16, 19, 20, 21, 30, 39, 40, 41, 80, 200}) {
    for (const std::string& label : labels) {
      ConsoleState state = example_state();
      state.record.predictions = {{0, label, 0.5}};
      state.record.model.name = label;
      state.record.target_fps = 1;
      state.record.target_reason = label;
      state.record.delivery = DeliveryStatus{};
      state.record.delivery->last_error = label;
      for (std::string line : render_console(state, {columns, 50}, plain_blocks)) {
        CAPTURE(columns, label, line);
        if (const std::size_t move = line.find("\x1b[K\x1b["); move != std::string::npos) {
          // The only escape sequences of ours: what is to the right erased, to the column where we are
          // anyway.
          const std::size_t end = line.find('G', move);
          REQUIRE(end != std::string::npos);
          CHECK(columns_of(line.substr(0, move)) + 1 == std::stoi(line.substr(move + 5, end - move - 5)));
          line.erase(move, end - move + 1);
        }
        CHECK(columns_of(line) <= std::max(1, columns - 1));
        for (const char c : line) CHECK((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
        CHECK(line.find("\u009b") == std::string::npos);
        CHECK(line.find("\u202e") == std::string::npos);
        CHECK(line.find('\xff') == std::string::npos);
      }
    }
  }
}

TEST_CASE("Whatever a terminal makes of a label, the bar behind it begins in its column") {
  ConsoleState state = example_state();
  state.record.predictions = {{0, "❤\ufe0f", 0.5}, {1, "heart", 0.5}};
  const auto lines = render_console(state, {80, 24}, plain_blocks);
  CHECK_THAT(lines.at(4),
             ContainsSubstring(" \x1b[K\x1b[27G ████"));  // 3 columns of rank and 23 of label are before
  CHECK_THAT(lines.at(5), !ContainsSubstring("\x1b"));
}

TEST_CASE("Right-to-left text is left as it is") {
  ConsoleState state = example_state();
  state.record.predictions = {{0, "שלום עולם", 0.5}};
  CHECK_THAT(text_of(render_console(state, {80, 24}, plain_blocks)), ContainsSubstring("שלום עולם"));
}

TEST_CASE("Where rows are short, what matters least goes first") {
  ConsoleState state = example_state();
  state.record.predictions.clear();
  for (int i = 0; i < 10; ++i)
    state.record.predictions.push_back({i, std::string(1, static_cast<char>('A' + i)), 0.1});
  const auto first_letters = [&](int rows) {
    std::string letters;
    for (const std::string& line : render_console(state, {80, rows}, plain_blocks))
      letters += line.empty() ? '.' : line[0] == ' ' || line[0] == '1' ? line[3] : line[0];
    return letters;
  };
  CHECK(first_letters(18) == ".d9.ABCDEFGHIJ.lmf");  // model, rate, labels, latency, machine, frames
  CHECK(first_letters(17) == "d9ABCDEFGHIJlmf");
  CHECK(first_letters(15) == "d9ABCDEFGHIJlmf");
  CHECK(first_letters(14) == "d9ABCDEFGHIlmf");
  CHECK(first_letters(8) == "d9ABClmf");
  CHECK(first_letters(6) == "d9ABCl");
  CHECK(first_letters(4) == "d9AB");
  CHECK(first_letters(1) == "d");
}

TEST_CASE("A network whose answer is not a number is shown without bars") {
  ConsoleState state = example_state();
  for (const double probability : {std::nan(""), -std::nan("")}) {
    state.record.predictions = {{7, "umbrella", probability}};
    const auto lines = render_console(state, {80, 24}, plain_blocks);
    CHECK(lines.at(4) == " 1 umbrella" + std::string(64, ' ') + " - %");
  }
}

TEST_CASE("A hundred labels have ranks of one width") {
  ConsoleState state = example_state();
  state.record.predictions.assign(100, {0, "x", 0.01});
  const auto lines = render_console(state, {80, 200}, plain_blocks);
  CHECK_THAT(lines.at(4), Catch::Matchers::StartsWith("   1 x"));
  CHECK_THAT(lines.at(103), Catch::Matchers::StartsWith(" 100 x"));
}

TEST_CASE("What is too long for a line goes on in the next, and nothing of an error is cut off") {
  ::setenv("TZ", "UTC", 1);
  ConsoleState state = example_state();
  state.record.predictions.clear();
  state.record.delivery = DeliveryStatus{7, 40, 33, 0, 0, LinkState::waiting, 1732262400000, "", 0};
  state.record.delivery->last_error =
      "nothing listens at mqtts://a-very-long-name.iot.example.org:8883 (Connection refused)";
  state.record.delivery->last_error_ms = 1732262461000;
  const auto lines = render_console(state, {40, 50}, plain_blocks);
  const std::vector<std::string> expected{"broker   waiting since 08:00:00",
                                          "         7 pending  40 sent",
                                          "         33 acknowledged",
                                          "         last error, 08:01:01: nothing",
                                          "         listens at",
                                          "         mqtts://a-very-long-name.iot.e",
                                          "         xample.org:8883 (Connection",
                                          "         refused)"};
  REQUIRE(lines.size() > expected.size());
  CHECK(std::vector<std::string>(lines.end() - std::ssize(expected), lines.end()) == expected);
}

TEST_CASE("Where the sparkline is short it has the last seconds") {
  ConsoleState state = example_state();
  state.fps_by_second.assign(60, 0.0);
  for (std::size_t i = 0; i < 23; ++i) state.fps_by_second[37 + i] = i % 2 == 0 ? 30.0 : 10.0;
  state.fps_by_second[36] = 300;  // out of sight, it is not what the others are drawn against
  CHECK(render_console(state, {40, 24}, plain_blocks).at(2) == "98.1 fps   ▇▃▇▃▇▃▇▃▇▃▇▃▇▃▇▃▇▃▇▃▇▃▇ 23 s");
}

TEST_CASE("Temperature and throttling are shown where they are known") {
  Record record = example_record();
  CHECK_THAT(shown(record), !ContainsSubstring("°C"));
  record.system.heat.temperature_c = 61.25;
  record.system.heat.throttled = std::vector<std::string>{"under-voltage"};
  CHECK_THAT(shown(record), ContainsSubstring("61.2 °C   under-voltage"));
  record.system.heat.throttled_since_start = record.system.heat.throttled;
  CHECK_THAT(shown(record), !ContainsSubstring("earlier"));
  record.system.heat.throttled_since_start->emplace_back("throttled");
  record.system.heat.throttled->clear();
  CHECK_THAT(shown(record), ContainsSubstring("earlier: under-voltage, throttled"));
}

TEST_CASE("The CPU's cores and frequency are shown, and how far it is below the highest") {
  Record record = example_record();
  CHECK_THAT(shown(record), !ContainsSubstring("MHz"));
  record.system.per_core = std::vector<double>{0, 50, 100};
  CHECK_THAT(shown(record), ContainsSubstring("cpu 51 % ▁▄▇"));
  record.system.heat.cpu_mhz = 1800;
  record.system.heat.cpu_max_mhz = 1800;
  CHECK_THAT(shown(record), ContainsSubstring("1800 MHz") && !ContainsSubstring(" of "));
  record.system.heat.cpu_mhz = 1500;
  CHECK_THAT(shown(record), ContainsSubstring("1500 of 1800 MHz"));
}

TEST_CASE("A rate that --adapt has lowered stands with its reason") {
  Record record = example_record();
  CHECK_THAT(shown(record), !ContainsSubstring("taking"));
  record.target_fps = 27;
  record.target_reason = "soft temperature limit";
  CHECK_THAT(shown(record), ContainsSubstring("taking 27.0 fps: soft temperature limit"));
}

TEST_CASE("A run of days says so") {
  const auto lines =
      render_console({example_record(), std::chrono::seconds(86400 * 3 + 4 * 3600 + 5 * 60 + 9), {}},
                     {80, 24}, plain_blocks);
  CHECK_THAT(lines.at(1), Catch::Matchers::EndsWith("up 3 d 4:05:09"));
}

TEST_CASE("Colour is only where it is asked for") {
  CHECK_THAT(text_of(render_console(example_state(), {80, 24}, plain_blocks)), !ContainsSubstring("\x1b"));
  CHECK_THAT(text_of(render_console(example_state(), {80, 24}, {true, true, true})),
             ContainsSubstring("\x1b[1mdemo int8 on onednn\x1b[0m"));
}

TEST_CASE("The operator sees the link, what became of the records, and what went wrong last and when") {
  ::setenv("TZ", "UTC", 1);
  Record record = example_record();
  CHECK_THAT(shown(record), !ContainsSubstring("broker"));
  record.delivery = DeliveryStatus{7, 40, 33, 2, 5, LinkState::waiting, 1732262400000, "", 0};
  CHECK_THAT(shown(record),
             ContainsSubstring("broker   waiting since 08:00:00   7 pending   40 sent   33 acknowledged   2 "
                               "resent   5 dropped"));
  CHECK_THAT(shown(record), !ContainsSubstring("last error"));
  record.delivery->last_error = "nothing listens";
  record.delivery->last_error_ms = 1732262461000;
  CHECK_THAT(shown(record), ContainsSubstring("last error, 08:01:01: nothing listens"));
}
