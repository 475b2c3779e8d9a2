#include "core/text.hpp"

#include <clocale>

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("Control characters are shown, so one message stays one line") {
  CHECK(escape_control("a\nb\x1b[31m\x7f") == "a\\x0ab\\x1b[31m\\x7f");
  CHECK(escape_control("grün ☂") == "grün ☂");
}

TEST_CASE("So are the control characters above ASCII, what turns the writing direction, and broken UTF-8") {
  CHECK(escape_control("\u009b31m\u0085") == "\\xc2\\x9b31m\\xc2\\x85");            // ISO 6429: CSI, NEL
  CHECK(escape_control("\u202eabc\u2066") == "\\xe2\\x80\\xaeabc\\xe2\\x81\\xa6");  // UAX #9: RLO, LRI
  CHECK(escape_control("\u00a0x\u2065") == "\u00a0x\u2065");
  CHECK(escape_control("a\x9b\xe5\x82") == "a\\x9b\\xe5\\x82");
  CHECK(escape_control("\xe0\x80\x9b[2J") == "\\xe0\\x80\\x9b[2J");  // an escape, written too long
  CHECK(escape_control("\ufffd") == "\ufffd");
}

TEST_CASE("What is not ASCII becomes question marks of the same width") {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  CHECK(ascii_only("grün 傘 e\u0301…") == "gr?n ?? e~");
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
