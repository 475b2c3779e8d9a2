#include "view/console_view.hpp"

#include <clocale>

#include "catch.hpp"
#include "core/text.hpp"
#include "example_record.hpp"

using namespace glimpse;

TEST_CASE("The screen fits its width, whatever the labels are") {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  for (const int columns : {20, 40, 80, 200}) {
    for (const std::string& line : render_console(example_record(), columns, false)) {
      CAPTURE(columns, line);
      CHECK(display_width(line) <= columns);
    }
  }
}

TEST_CASE("The bar is as long as the probability") {
  Record record = example_record();
  record.predictions = {{0, "half", 0.5}, {1, "all", 1.0}, {2, "none", 0.0}};
  const auto lines = render_console(record, 80, false);
  const auto blocks = [&](const std::string& label) {
    const auto line = std::find_if(lines.begin(), lines.end(),
                                   [&](const auto& l) { return l.find(label) != std::string::npos; });
    REQUIRE(line != lines.end());
    int count = 0;
    for (std::size_t at = line->find("█"); at != std::string::npos; at = line->find("█", at + 1)) ++count;
    return count;
  };
  CHECK(blocks("none") == 0);
  CHECK(blocks("all") > 30);
  CHECK(std::abs(blocks("all") - 2 * blocks("half")) <= 1);
}

TEST_CASE("Temperature and throttling are shown where they are known") {
  Record record = example_record();
  const auto text = [&] {
    std::string all;
    for (const std::string& line : render_console(record, 80, false)) all += line + "\n";
    return all;
  };
  CHECK(text().find("°C") == std::string::npos);
  record.system.heat.temperature_c = 61.25;
  record.system.heat.throttled = std::vector<std::string>{"under-voltage"};
  CHECK_THAT(text(), ContainsSubstring("61.2 °C   under-voltage"));
  record.system.heat.throttled_since_start = record.system.heat.throttled;
  CHECK_THAT(text(), !ContainsSubstring("earlier"));
  record.system.heat.throttled_since_start->emplace_back("throttled");
  record.system.heat.throttled->clear();
  CHECK_THAT(text(), ContainsSubstring("earlier: under-voltage, throttled"));
}

TEST_CASE("The CPU's frequency is shown, and how far it is below the highest") {
  Record record = example_record();
  const auto text = [&] { return render_console(record, 200, false).at(2); };
  CHECK(text().find("MHz") == std::string::npos);
  record.system.heat.cpu_mhz = 1800;
  record.system.heat.cpu_max_mhz = 1800;
  CHECK_THAT(text(), ContainsSubstring("1800 MHz") && !ContainsSubstring("of"));
  record.system.heat.cpu_mhz = 1500;
  CHECK_THAT(text(), ContainsSubstring("1500 of 1800 MHz"));
}

TEST_CASE("A rate that --adapt has lowered stands with its reason") {
  Record record = example_record();
  const auto text = [&] {
    std::string all;
    for (const std::string& line : render_console(record, 80, false)) all += line + "\n";
    return all;
  };
  CHECK(text().find("taking") == std::string::npos);
  record.target_fps = 27;
  record.target_reason = "soft temperature limit";
  CHECK_THAT(text(), ContainsSubstring("taking 27.0 fps: soft temperature limit"));
}

TEST_CASE("Colour is only where it is asked for") {
  for (const std::string& line : render_console(example_record(), 80, false)) {
    CHECK(line.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("The operator sees the link, what became of the records, and what went wrong last and when") {
  ::setenv("TZ", "UTC", 1);
  Record record = example_record();
  const auto text = [&] {
    std::string all;
    for (const std::string& line : render_console(record, 200, false)) all += line + "\n";
    return all;
  };
  CHECK_THAT(text(), !ContainsSubstring("broker"));
  record.delivery = DeliveryStatus{7, 40, 33, 2, 5, LinkState::waiting, 1732262400000, "", 0};
  CHECK_THAT(
      text(),
      ContainsSubstring(
          "broker waiting since 08:00:00   7 pending   40 sent   33 acknowledged   2 resent   5 dropped"));
  CHECK_THAT(text(), !ContainsSubstring("last error"));
  record.delivery->last_error = "nothing listens";
  record.delivery->last_error_ms = 1732262461000;
  CHECK_THAT(text(), ContainsSubstring("last error, 08:01:01: nothing listens"));
}
