// A clock that cannot be right.
#include "telemetry/link/wall_clock.hpp"

#include <atomic>

#include "catch.hpp"

using namespace glimpse;
using namespace std::chrono_literals;
using std::chrono::system_clock;

TEST_CASE("a clock before this program was built is not set; any later one is") {
  const auto fault = clock_fault(system_clock::from_time_t(59));
  REQUIRE(fault);
  CHECK(fault->problem == LinkProblem::clock_not_set);
  CHECK_FALSE(is_credentials_fault(fault->problem));
  CHECK_THAT(fault->reason, ContainsSubstring("this clock says 1970-01-01 00:00:59 UTC"));
  CHECK_THAT(fault->reason, ContainsSubstring("timedatectl"));
  CHECK(clock_fault(built_at() - 1s));
  CHECK_FALSE(clock_fault(built_at()));
  CHECK_FALSE(clock_fault(system_clock::now()));
  CHECK(built_at() > system_clock::from_time_t(1767225600));  // 2026-01-01: nothing older than this code
}

TEST_CASE("the wait ends with the clock set, at its next look") {
  int looks = 0;
  const auto now = [&] { return ++looks < 4 ? system_clock::from_time_t(0) : built_at(); };
  CHECK(wait_for_clock({}, now, 0ms));
  CHECK(looks == 4);
}

TEST_CASE("a stop ends the wait for the clock") {
  std::stop_source stop;
  const auto now = [&] {
    stop.request_stop();  // once the wait has begun
    return system_clock::from_time_t(0);
  };
  CHECK_FALSE(wait_for_clock(stop.get_token(), now, 1h));
}
