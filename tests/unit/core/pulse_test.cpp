#include "core/pulse.hpp"

#include "catch.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {

/// As somebody sees it who looks at least this much later.
std::optional<Steady::duration> seen_in(Steady::duration time, const Pulse& pulse) {
  return pulse.busy_for(Steady::now() + time);
}

}  // namespace

TEST_CASE("A thread is busy within a step and not between two") {
  Pulse pulse("inference");
  CHECK_FALSE(seen_in(1h, pulse));
  {
    const Step step(pulse);
    REQUIRE(seen_in(1h, pulse));
    CHECK(*seen_in(1h, pulse) >= 1h);
    CHECK(*seen_in(1h, pulse) < 1h + 1min);
    {
      const Rest wait(pulse);
      CHECK_FALSE(seen_in(1h, pulse));
    }
    CHECK(seen_in(1h, pulse));
  }
  CHECK_FALSE(seen_in(1h, pulse));
}

TEST_CASE("What a step may well take does not count") {
  Pulse pulse("publisher");
  const Step step(pulse, 30min);
  CHECK(*seen_in(20min, pulse) < 0s);
  CHECK(*seen_in(40min, pulse) >= 10min);
  CHECK(*seen_in(40min, pulse) < 11min);
}

TEST_CASE("A sign of life makes a step young, unless the first one is to count") {
  Pulse pulse("capture");
  pulse.beat(-1h);  // an hour ago
  pulse.beat_once();
  CHECK(*seen_in(0s, pulse) >= 1h);
  pulse.beat();
  CHECK(*seen_in(0s, pulse) < 1min);
  pulse.rest();
  pulse.beat_once();
  CHECK(*seen_in(1h, pulse) >= 1h);
}
