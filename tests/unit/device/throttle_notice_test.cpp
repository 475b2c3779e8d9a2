#include "device/throttle_notice.hpp"

#include "catch.hpp"

using namespace glimpse;

namespace {

/// Tells a notice one reading after another, and gives the line that it makes of it, "" for none.
class Log {
 public:
  std::string after(int seconds, std::optional<std::vector<std::string>> words,
                    std::optional<double> temperature = {}) {
    HeatStatus heat;
    heat.throttled = std::move(words);
    heat.temperature_c = temperature;
    const auto line = notice_.after(heat, start_ + std::chrono::seconds(seconds));
    if (!line) return "";
    return (line->is_warning ? "warning: " : "info: ") + line->text;
  }

 private:
  ThrottleNotice notice_;
  const Steady::time_point start_{};
};

}  // namespace

TEST_CASE("under-voltage is said once, with what mends it, and so is its end") {
  Log log;
  CHECK(log.after(0, std::nullopt).empty());
  CHECK(log.after(1, {{}}).empty());
  const std::string line = log.after(2, {{"under-voltage"}}, 41.0);
  CHECK_THAT(line,
             ContainsSubstring("warning: the firmware says under-voltage at 41 °C: use a 5 V 3 A supply"));
  CHECK(log.after(3, {{"under-voltage"}}).empty());
  CHECK(log.after(4, {{}}).empty());
  CHECK(log.after(62, {{}}).empty());
  CHECK(log.after(63, {{}}) == "info: the firmware has not said under-voltage for 60 s");
  CHECK(log.after(64, {{}}).empty());
  CHECK(log.after(65, {{"under-voltage"}}) ==
        "warning: the firmware says under-voltage: use a 5 V 3 A supply "
        "(Raspberry Pi 5: 5 V 5 A) and a short, thick cable");
}

TEST_CASE("heat is mended by a fan; with under-voltage beside it the supply comes first") {
  Log log;
  CHECK_THAT(log.after(0, {{"soft temperature limit"}}, 80.6),
             ContainsSubstring("says soft temperature limit at 81 °C: give the CPU a heatsink or a fan"));
  CHECK_THAT(log.after(1, {{"throttled", "soft temperature limit"}}), ContainsSubstring("heatsink"));
  CHECK_THAT(log.after(2, {{"under-voltage", "throttled"}}), ContainsSubstring("supply"));
}

TEST_CASE("a supply that dips every few seconds fills no log") {
  Log log;
  int lines = 0;
  for (int s = 0; s < 3600; ++s) {
    std::vector<std::string> words;
    if (s % 7 == 0) words = {"under-voltage"};
    lines += log.after(s, words).empty() ? 0 : 1;
  }
  CHECK(lines == 1);
}

TEST_CASE("an alarm that falls silent on a kernel that knows no more ends, too") {
  Log log;
  CHECK_FALSE(log.after(0, {{"under-voltage"}}).empty());
  CHECK(log.after(59, std::nullopt).empty());
  CHECK_FALSE(log.after(60, std::nullopt).empty());
}
