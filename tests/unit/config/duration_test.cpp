#include "config/duration.hpp"

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("Durations take ms, s, m and h; a bare number is seconds") {
  const auto ms = [](const char* text) { return parse_duration(text)->count(); };
  CHECK(ms("250ms") == 250);
  CHECK(ms("1.5s") == 1500);
  CHECK(ms("2m") == 120000);
  CHECK(ms("1h") == 3600000);
  CHECK(ms("0") == 0);
  CHECK(ms("30") == 30000);
}

TEST_CASE("What is not a duration is refused") {
  for (const char* text : {"", "fast", "-1s", "5 s", "5d", "1s2", "nan", "inf", "1e300h", "ms"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
}
