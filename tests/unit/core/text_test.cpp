#include "core/text.hpp"

#include <clocale>

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("Control characters are shown, so one message stays one line") {
  CHECK(escape_control("a\nb\x1b[31m\x7f") == "a\\x0ab\\x1b[31m\\x7f");
  CHECK(escape_control("grün ☂") == "grün ☂");
}

TEST_CASE("Text is fitted to terminal columns, not to bytes") {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  CHECK(display_width("Regenschirm") == 11);
  CHECK(display_width("grün") == 4);
  CHECK(display_width("傘") == 2);  // East Asian wide, Unicode UAX #11
  CHECK(fit_to_width("cat", 5) == "cat  ");
  CHECK(fit_to_width("birthday cake", 8) == "birthda…");
  CHECK(fit_to_width("傘傘傘", 4) == "傘… ");
  CHECK(fit_to_width("abc", 0).empty());
}

TEST_CASE("Broken UTF-8 is measured and cut without harm") {
  CHECK(display_width("\xff\xfe") == 2);
  CHECK(display_width("\xe5\x82") == 2);
  CHECK(fit_to_width("\xf0\x9f", 1).size() <= 4);
}

TEST_CASE("Text to the right is padded by columns, not by bytes, and never cut") {
  CHECK(to_right("8", 3) == "  8");
  CHECK(to_right("\u00e4", 3) == "  \u00e4");
  CHECK(to_right("12345", 3) == "12345");
}
