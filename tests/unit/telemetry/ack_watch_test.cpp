#include "telemetry/ack_watch.hpp"

#include "catch.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {
const Steady::time_point start(1h);
}

TEST_CASE("Thirty seconds without an acknowledgement are too long, but only while one is due") {
  AckWatch watch;
  CHECK_FALSE(watch.is_overdue(start + 1h));
  watch.sent(1, start);
  CHECK_FALSE(watch.is_overdue(start + 29s));
  CHECK(watch.is_overdue(start + 30s));
  watch.acknowledged(1, start + 31s);
  CHECK_FALSE(watch.is_overdue(start + 2h));
  watch.sent(2, start + 2h);
  CHECK_FALSE(watch.is_overdue(start + 2h + 29s));
}

TEST_CASE("A slow broker that goes on acknowledging in order is never too slow") {
  AckWatch watch;
  for (int id = 1; id <= 20; ++id) watch.sent(id, start);
  for (int id = 1; id <= 20; ++id) {
    watch.acknowledged(id, start + id * 29s);
    CHECK_FALSE(watch.is_overdue(start + id * 29s + 29s));
  }
}

TEST_CASE("One acknowledgement that is left out is noticed though all others come") {
  AckWatch watch;
  watch.sent(1, start);
  for (int id = 2; id <= 31; ++id) {
    watch.sent(id, start + id * 1s);
    watch.acknowledged(id, start + id * 1s);
    CHECK(watch.is_overdue(start + id * 1s) == (id >= 30));
  }
}

TEST_CASE("A new session begins with nothing due") {
  AckWatch watch;
  watch.sent(1, start);
  watch.begin();
  CHECK_FALSE(watch.is_overdue(start + 1h));
  watch.acknowledged(1, start);  // late, of the session before
  CHECK_FALSE(watch.is_overdue(start + 1h));
}
