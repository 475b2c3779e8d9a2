#include "evaluation/timings.hpp"

#include "catch.hpp"
#include "core/percentile.hpp"

using namespace glimpse;

TEST_CASE("Percentiles of times are the nearest rank, in whatever order they came") {
  std::vector<double> ms;
  for (int i = 200; i >= 1; --i) ms.push_back(i);
  const Timings of_200 = timings(ms);
  CHECK(of_200.p50 == 100);
  CHECK(of_200.p90 == 180);
  CHECK(of_200.p99 == 198);
  CHECK(of_200.min == 1);
  const Timings of_one = timings({7});
  CHECK(of_one.p50 == 7);
  CHECK(of_one.p99 == 7);
}

TEST_CASE("The median is one of the values") {
  CHECK(median({5, 1, 3}) == 3);
  CHECK(median({4, 1}) == 1);
}
