#include "core/backoff.hpp"

#include "catch.hpp"

using namespace glimpse;
using std::chrono::milliseconds;

TEST_CASE("Back-off doubles from the base to the cap, and the jitter is the whole of it") {
  double chance = 0.5;
  Backoff backoff(milliseconds(1000), milliseconds(60000), [&] { return chance; });
  // Half of 1, 2, 4, 8, 16, 32 s, then half of the 60 s cap.
  for (const int expected : {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000})
    CHECK(backoff.next().count() == expected);
  backoff.reset();
  CHECK(backoff.next().count() == 500);
  chance = 0;
  CHECK(backoff.next().count() == 0);
}
