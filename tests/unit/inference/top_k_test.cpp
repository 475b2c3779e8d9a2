#include "inference/top_k.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"

using namespace glimpse;

namespace {
const std::vector<std::string> labels{"a", "b", "c", "d"};
}

TEST_CASE("The k most probable come first, with their softmax") {
  const std::vector<float> logits{0, std::log(2.0f), std::log(5.0f),
                                  std::log(2.0f)};  // softmax: 0.1 0.2 0.5 0.2
  const auto top = top_k(logits, labels, 3);
  REQUIRE(top.size() == 3);
  CHECK(top[0].index == 2);
  CHECK(top[0].label == "c");
  CHECK(top[0].probability == Approx(0.5));
  CHECK(top[1].index == 1);  // the lower index first where two are equal
  CHECK(top[2].index == 3);
  CHECK(top[2].probability == Approx(0.2));
}

TEST_CASE("k is cut to the number of classes") {
  CHECK(top_k(std::vector<float>{1, 2, 3, 4}, labels, 1000).size() == 4);
}

TEST_CASE("Large logits do not overflow") {
  const auto top = top_k(std::vector<float>{1000, 999, -1000, 0}, labels, 2);
  CHECK(top[0].probability == Approx(1 / (1 + std::exp(-1.0))));
}

TEST_CASE("A logit that is not a number is the least probable") {
  const auto top = top_k(std::vector<float>{std::numeric_limits<float>::quiet_NaN(), 1, 2, 3}, labels, 4);
  CHECK(top[0].label == "d");
  CHECK(top[3].label == "a");
  CHECK(top[3].probability == 0);
}
