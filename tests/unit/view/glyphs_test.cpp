#include "view/glyphs.hpp"

#include <limits>

#include "catch.hpp"

using namespace glimpse;

// Unicode, Block Elements: U+2588 is full, U+2589 to U+258F are 7/8 to 1/8.
TEST_CASE("A bar is as long as its share, in eighths of a column") {
  CHECK(bar(0, 4, true).empty());
  CHECK(bar(1, 4, true) == "\u2588\u2588\u2588\u2588");
  CHECK(bar(0.5, 4, true) == "\u2588\u2588");
  CHECK(bar(1.0 / 32, 4, true) == "\u258f");
  CHECK(bar(7.0 / 32, 4, true) == "\u2589");
  CHECK(bar(1.01, 2, true) == "\u2588\u2588");
  CHECK(bar(-1, 2, true).empty());
  CHECK(bar(0.5, 5, false) == "###");  // 2.5, rounded away from zero
  CHECK(bar(0.5, 0, true).empty());
}

TEST_CASE("What is not a number has no bar, and stands as the least of a sparkline") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinite = std::numeric_limits<double>::infinity();
  for (const bool blocks : {true, false}) {
    CHECK(bar(nan, 4, blocks).empty());
    CHECK(bar(-infinite, 4, blocks).empty());
    CHECK(bar(infinite, 4, blocks) == bar(1, 4, blocks));
    CHECK(sparkline({nan, 1.0}, 1, blocks) == sparkline({0.0, 1.0}, 1, blocks));
    CHECK(sparkline({infinite}, infinite, blocks) == sparkline({0.0}, 1, blocks));
    CHECK(sparkline({1.0}, nan, blocks) == sparkline({0.0}, 1, blocks));
  }
}

TEST_CASE("A sparkline's columns are as high as its values") {
  CHECK(sparkline({0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0}, 60, true) ==
        "\u2581\u2582\u2583\u2584\u2585\u2586\u2587");
  CHECK(sparkline({0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0}, 60, false) == "_.-=+*#");
  CHECK(sparkline({std::nullopt, 1.0}, 1, true) == " \u2587");
  CHECK(sparkline({0.0}, 0, true) == "\u2581");
  CHECK(sparkline({70.0, -1.0}, 60, true) == "\u2587\u2581");
}
