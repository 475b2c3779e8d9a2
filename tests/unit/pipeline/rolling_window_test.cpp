#include "pipeline/rolling_window.hpp"

#include "catch.hpp"

using namespace glimpse;
using std::chrono::milliseconds;

namespace {
const Steady::time_point start{std::chrono::hours(1)};
}

TEST_CASE("The rate is intervals per second, and unknown before the second event") {
  RollingWindow window(std::chrono::seconds(1));
  CHECK_FALSE(window.rate(start).has_value());
  window.add(start, 0);
  CHECK_FALSE(window.rate(start).has_value());
  for (int i = 1; i <= 10; ++i) window.add(start + milliseconds(20) * i, 0);
  CHECK(window.rate(start + milliseconds(200)).value() == Approx(50));
}

TEST_CASE("A source that falls silent shows as a rate that falls towards zero, and without percentiles") {
  RollingWindow window(std::chrono::seconds(1));
  for (int i = 0; i <= 10; ++i) window.add(start + milliseconds(20) * i, 0);
  CHECK(window.rate(start + milliseconds(700)).value() < 20);
  CHECK(window.rate(start + std::chrono::hours(1)).value() < 0.001);
  CHECK_FALSE(window.percentiles(start + std::chrono::hours(1)).has_value());
}

TEST_CASE("A rate below one a window is known, too") {
  RollingWindow window(std::chrono::seconds(1));
  for (int i = 0; i < 5; ++i) window.add(start + std::chrono::seconds(4) * i, 0);
  CHECK(window.rate(start + std::chrono::seconds(16)).value() == Approx(0.25));
}

TEST_CASE("Percentiles are nearest-rank, over the span alone") {
  RollingWindow window(std::chrono::seconds(1));
  CHECK_FALSE(window.percentiles(start).has_value());
  window.add(start - std::chrono::seconds(5), 1e6);
  for (int i = 100; i >= 1; --i) window.add(start, i);
  const Percentiles p = window.percentiles(start).value();
  CHECK(p.p50 == 50);
  CHECK(p.p90 == 90);
  CHECK(p.p99 == 99);
}

TEST_CASE("A percentile between two values is the upper one") {
  RollingWindow window(std::chrono::seconds(1));
  for (int i = 1; i <= 10; ++i) window.add(start, i);
  const Percentiles p = window.percentiles(start).value();
  CHECK(p.p50 == 5);
  CHECK(p.p90 == 9);
  CHECK(p.p99 == 10);  // the smallest value that is at least as large as 99 % of them
}

TEST_CASE("The window is bounded, whatever comes in") {
  RollingWindow window(std::chrono::hours(10));
  for (int i = 0; i < 100000; ++i) window.add(start + milliseconds(i), i);
  const auto now = start + milliseconds(99999);
  CHECK(window.percentiles(now)->p50 >= 100000 - static_cast<double>(RollingWindow::max_events));
  CHECK(window.rate(now).value() == Approx(1000));
}
