#include "telemetry/message_queue.hpp"

#include "catch.hpp"

using glimpse::MessageQueue;

TEST_CASE("a message leaves the queue when it is acknowledged, not when it is taken") {
  MessageQueue queue(100);
  queue.push("a");
  queue.push("b");
  const auto first = queue.take();
  CHECK(*first.payload == "a");
  CHECK(queue.size() == 2);
  CHECK(queue.acknowledge(first.id));
  CHECK_FALSE(queue.acknowledge(first.id));
  CHECK(queue.size() == 1);
  CHECK(queue.bytes() == 1);
}

TEST_CASE("only what was taken can be acknowledged") {
  MessageQueue queue(100);
  queue.push("a");
  CHECK_FALSE(queue.acknowledge(1));
  CHECK(queue.take().id == 1);
  CHECK(queue.take().id == 0);
}

TEST_CASE("after a broken link everything goes again, in the old order") {
  MessageQueue queue(100);
  for (const auto* text : {"a", "b", "c", "d"}) queue.push(text);
  for (int i = 0; i < 3; ++i) (void)queue.take();
  CHECK(queue.acknowledge(2));
  queue.requeue_in_flight();
  CHECK(queue.in_flight() == 0);
  CHECK(*queue.take().payload == "a");
  CHECK(*queue.take().payload == "c");
  CHECK(*queue.take().payload == "d");
}

TEST_CASE("when full the oldest go, those in flight excepted, and all is accounted for") {
  MessageQueue queue(30);
  queue.push(std::string(10, '1'));
  (void)queue.take();
  for (char c = '2'; c <= '6'; ++c) queue.push(std::string(10, c));
  CHECK(queue.size() == 3);
  CHECK(queue.bytes() == 30);
  CHECK(queue.dropped() == 3);
  CHECK(queue.take().payload->front() == '5');
  CHECK(queue.acknowledge(1));

  MessageQueue tiny(5);
  tiny.push("larger than the queue");
  CHECK(tiny.size() == 0);
  CHECK(tiny.dropped() == 1);
}
