#include "view/web/event_feed.hpp"

#include <atomic>

#include "catch.hpp"

using namespace glimpse;

namespace {

Steady::time_point late() {
  return Steady::now() + std::chrono::seconds(30);
}

}  // namespace

TEST_CASE("An event is its name and one line") {
  CHECK(event_text("status", "{}") == "event: status\ndata: {}\n\n");
}

TEST_CASE("A reader begins with settings and history, then has statuses, and settings when they change") {
  std::atomic<int> setting = 1;
  EventFeed feed({[&] { return "{\"a\":" + std::to_string(setting) + "}"; }, [] { return "[1]"; },
                  [] { return "[2]"; }, [] {}});
  EventFeed::Reader reader(feed);
  CHECK(reader.next(late(), {}) ==
        "retry: 1000\n\nevent: settings\ndata: {\"a\":1}\n\nevent: history\ndata: [1]\n\n");
  CHECK_THAT(reader.next(late(), {}), ContainsSubstring("event: status\ndata: [2]\n\n"));
  setting = 2;
  std::string told;
  while (told.find("settings") == std::string::npos || told.find("\"a\":2") == std::string::npos) {
    told = reader.next(late(), {});
    REQUIRE_FALSE(told.empty());
  }
  CHECK(told == "event: settings\ndata: {\"a\":2}\n\nevent: status\ndata: [2]\n\n");
}

TEST_CASE("No status is made while nobody reads, and one only for all who do") {
  std::atomic<int> made = 0, samples = 0;
  EventFeed feed(
      {[] { return "{}"; }, [] { return "{}"; }, [&] { return std::to_string(++made); }, [&] { ++samples; }});
  while (samples < 2) std::this_thread::yield();  // a second later
  CHECK(made == 0);
  EventFeed::Reader one(feed), other(feed);
  CHECK(feed.readers() == 2);
  (void)one.next(late(), {});
  (void)other.next(late(), {});
  const std::string first = one.next(late(), {});
  CHECK(other.next(late(), {}).find("event: status") != std::string::npos);
  CHECK_THAT(first, ContainsSubstring("data: 1\n"));
  CHECK(made <= 2);
}
