#include "pipeline/time_stamps.hpp"

#include <set>

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("A clock that goes on is taken as it is") {
  TimeStamps stamps;
  CHECK(stamps.next(1732262400123) == 1732262400123);
  CHECK(stamps.next(1732262400124) == 1732262400124);
  CHECK(stamps.next(1732262401000) == 1732262401000);
}

TEST_CASE("Two records in one millisecond have two times") {
  TimeStamps stamps;
  CHECK(stamps.next(5000) == 5000);
  CHECK(stamps.next(5000) == 5001);
  CHECK(stamps.next(5000) == 5002);
  CHECK(stamps.next(5001) == 5003);
  CHECK(stamps.next(5010) == 5010);
}

TEST_CASE(
    "A clock that is put right by a second goes on from the last time; set back by more it is believed") {
  TimeStamps stamps;
  CHECK(stamps.next(5000) == 5000);
  CHECK(stamps.next(4000) == 5001);
  CHECK(stamps.next(4500) == 5002);
  CHECK(stamps.next(3499) == 3499);
  CHECK(stamps.next(3499) == 3500);
}

TEST_CASE("However many records there are in a second, no two have the same time") {
  TimeStamps stamps;
  std::set<std::int64_t> seen;
  for (int i = 0; i < 5000; ++i) seen.insert(stamps.next(7000 + i / 5));  // 5 a millisecond
  CHECK(seen.size() == 5000);
}

TEST_CASE("A clock that says 1970 gives times, too") {
  TimeStamps stamps;
  CHECK(stamps.next(0) == 0);
  CHECK(stamps.next(0) == 1);
  CHECK(stamps.next(1732262400123) == 1732262400123);
}
