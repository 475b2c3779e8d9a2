#include "telemetry/outbox/sending_order.hpp"

#include "catch.hpp"

using namespace glimpse;

namespace {

/// What a publisher would send of ids 1 to `last`, all of them stored, until the window is full or nothing is
/// left.
std::vector<std::int64_t> send_all(SendingOrder& order, std::int64_t last) {
  std::vector<std::int64_t> sent;
  const auto one = [&] {
    for (const auto& range : order.next()) {
      for (std::int64_t id = range.after + 1; id <= std::min(range.until, last); ++id) {
        if (order.is_busy(id)) continue;
        order.sent(id);
        sent.push_back(id);
        return true;
      }
      order.skip(range);
    }
    return false;
  };
  while (one()) {
  }
  return sent;
}

std::vector<std::int64_t> ids(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> list;
  for (std::int64_t id = first; id <= last; ++id) list.push_back(id);
  return list;
}

}  // namespace

TEST_CASE("At most 20 are on their way, and erasing makes room") {
  SendingOrder order(Drain::fifo);
  order.begin_session(100);
  CHECK(send_all(order, 100) == ids(1, 20));
  CHECK(order.acknowledged(1));
  CHECK_FALSE(order.acknowledged(1));
  CHECK_FALSE(order.acknowledged(77));
  // Acknowledged but not erased: after a crash it would come again, so it still counts.
  CHECK(send_all(order, 100).empty());
  order.erased({1});
  CHECK(send_all(order, 100) == ids(21, 21));
}

TEST_CASE("With newest, the newest goes first and what comes in goes before what waited") {
  SendingOrder order(Drain::newest);
  order.begin_session(100);
  std::vector<std::int64_t> expected = ids(100, 100);
  for (const auto id : ids(1, 19)) expected.push_back(id);
  CHECK(send_all(order, 100) == expected);
  for (const auto id : expected) order.acknowledged(id);
  order.erased(expected);
  expected = {101, 102};
  for (const auto id : ids(20, 37)) expected.push_back(id);
  CHECK(send_all(order, 102) == expected);
}

TEST_CASE("With fifo, everything goes strictly in order") {
  SendingOrder order(Drain::fifo);
  order.begin_session(3);
  CHECK(send_all(order, 5) == ids(1, 5));
  CHECK(send_all(order, 7) == ids(6, 7));
}

TEST_CASE("A new session begins with what was unacknowledged, and marks it as sent again") {
  for (const Drain drain : {Drain::fifo, Drain::newest}) {
    SendingOrder order(drain);
    order.begin_session(0);
    CHECK(send_all(order, 30) == ids(1, 20));
    order.acknowledged(3);
    CHECK(order.unacknowledged().size() == 19);
    order.begin_session(30);
    CHECK(order.unacknowledged().size() == 19);
    REQUIRE(order.next().size() == 1);
    CHECK(order.next()[0].until == 1);
    CHECK(order.sent(1));
    order.begin_session(30);  // broke again at once
    CHECK(order.next()[0].until == 1);
    auto expected = ids(1, 20);
    expected.erase(expected.begin() + 2);
    CHECK(send_all(order, 30) == expected);  // and 3 is yet to be erased
    CHECK(order.unacknowledged().size() == 19);
  }
}

TEST_CASE("What was to be sent again and is gone holds nothing up") {
  SendingOrder order(Drain::fifo);
  order.begin_session(2);
  CHECK(send_all(order, 2) == ids(1, 2));
  order.begin_session(2);
  order.skip(order.next()[0]);
  REQUIRE(order.next().size() == 1);
  CHECK(order.next()[0].until == 2);
}
