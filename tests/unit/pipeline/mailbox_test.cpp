#include "pipeline/mailbox.hpp"

#include <thread>
#include <vector>

#include "catch.hpp"

using namespace glimpse;
using Box = Mailbox<int>;

TEST_CASE("A full mailbox that overwrites keeps the newest") {
  Box box(1, Box::WhenFull::overwrite_oldest);
  CHECK(box.put(1, {}) == Box::Put::done);
  CHECK(box.put(2, {}) == Box::Put::overwrote);
  CHECK(box.take({}) == 2);
}

TEST_CASE("A full mailbox that waits loses nothing and keeps the order") {
  Box box(2, Box::WhenFull::wait);
  std::jthread writer([&] {
    for (int i = 0; i < 1000; ++i) CHECK_NOTHROW((void)box.put(i, {}));
    box.close();
  });
  std::vector<int> got;
  while (const auto item = box.take({})) got.push_back(*item);
  REQUIRE(got.size() == 1000);
  CHECK(std::is_sorted(got.begin(), got.end()));
}

TEST_CASE("What is inside a closed mailbox can still be taken, then it is at its end") {
  Box box(4, Box::WhenFull::wait);
  CHECK(box.put(7, {}) == Box::Put::done);
  box.close();
  CHECK(box.put(8, {}) == Box::Put::stopped);
  CHECK(box.take({}) == 7);
  CHECK_FALSE(box.take({}).has_value());
}

TEST_CASE("A stop ends both waits") {
  Box full(1, Box::WhenFull::wait), empty(1, Box::WhenFull::wait);
  CHECK(full.put(1, {}) == Box::Put::done);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  CHECK(full.put(2, stop.get_token()) == Box::Put::stopped);
  CHECK_FALSE(empty.take(stop.get_token()).has_value());
}
