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

// The Unicode Standard, table 3-7: which bytes are a character. To some terminals U+009B is an escape however
// it is written.
TEST_CASE("Broken is also what is longer than it need be, half of a UTF-16 pair, or beyond U+10FFFF") {
  CHECK(escape_control("\xf9\x9b\x80\x80") == "\\xf9\\x9b\\x80\\x80");
  CHECK(escape_control("\xff\xbf\xbf\xbf") == "\\xff\\xbf\\xbf\\xbf");
  CHECK(escape_control("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // U+110000
  CHECK(escape_control("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // U+D800
  CHECK(escape_control("\xed\xbf\xbf") == "\\xed\\xbf\\xbf");           // U+DFFF
  CHECK(escape_control("\xe0\x9f\xbf") == "\\xe0\\x9f\\xbf");           // U+07FF
  CHECK(escape_control("\xf0\x8f\xbf\xbf") == "\\xf0\\x8f\\xbf\\xbf");  // U+FFFF
  CHECK(escape_control("\xc1\xbf") == "\\xc1\\xbf");                    // U+007F
  CHECK(display_width("\xf9\x9b\x80\x80") == 4);
  for (const char* const valid :
       {"\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"})
    CHECK(escape_control(valid) == (std::string_view(valid) == "\u0080" ? "\\xc2\\x80" : valid));
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

// Unicode 15, EastAsianWidth.txt: U+1F600 and U+1FAE8 are W (the latter is younger than glibc 2.36), U+0301
// and U+200D have no width of their own; UTS #51: U+FE0F makes a wide emoji of U+2764.
TEST_CASE(
    "Emoji are two columns wide, with and without U+FE0F, also those that the C library does not know") {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  CHECK(display_width("\U0001f600") == 2);
  CHECK(display_width("\U0001f600\ufe0f") == 2);
  CHECK(display_width("\U0001fae8") == 2);
  CHECK(display_width("\u2764") == 1);
  CHECK(display_width("\u2764\ufe0f") == 2);
  CHECK(display_width("\u2764\ufe0f\ufe0f") == 2);
  CHECK(display_width("\ufe0f") == 0);
  CHECK(display_width("e\u0301x") == 2);
  CHECK(fit_to_width("\u2764\ufe0f\u2764\ufe0fx", 4) == "\u2764\ufe0f\u2764…");
  CHECK(fit_to_width("\U0001fae8 cat", 4) == "\U0001fae8 …");
  CHECK(ascii_only("\u2764\ufe0f\U0001fae8") == "????");
}

TEST_CASE("Text is wrapped at spaces, and a long word where it must be") {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  using Lines = std::vector<std::string>;
  CHECK(wrap_to_width("", 5) == Lines{});
  CHECK(wrap_to_width("one", 5) == Lines{"one"});
  CHECK(wrap_to_width("one two three", 7) == Lines{"one two", "three"});
  CHECK(wrap_to_width("one two three", 8) == Lines{"one two", "three"});
  CHECK(wrap_to_width("one two three", 6) == Lines{"one", "two", "three"});
  CHECK(wrap_to_width("abcdefgh ij", 3) == Lines{"abc", "def", "gh", "ij"});
  CHECK(wrap_to_width("a bcdefg", 3) == Lines{"a", "bcd", "efg"});
  CHECK(wrap_to_width(" abcd", 2) == Lines{" a", "bc", "d"});
  CHECK(wrap_to_width("傘傘 傘", 3) == Lines{"傘", "傘", "傘"});
  CHECK(wrap_to_width("傘x", 1) == Lines{"…", "x"});
  CHECK(wrap_to_width("e\u0301e\u0301", 1) == Lines{"e\u0301", "e\u0301"});
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
