#include "view/web/event_feed.hpp"

#include <atomic>

#include "captured_log.hpp"
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
  for (int i = 0; i < 3; ++i) CHECK(reader.next(late(), {}) == "event: status\ndata: [2]\n\n");
  setting = 2;
  std::string told;
  for (int i = 0; i < 3 && told.find("settings") == std::string::npos; ++i) told = reader.next(late(), {});
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

TEST_CASE("A fault costs the events of that moment, and is said once") {
  std::atomic<bool> broken = true;
  std::atomic<int> asked = 0;
  const CapturedLog log;
  EventFeed feed({[] { return "{}"; }, [] { return "{}"; },
                  [&]() -> std::string {
                    ++asked;
                    if (broken) throw std::runtime_error("no such folder");
                    return "[2]";
                  },
                  [] {}});
  EventFeed::Reader reader(feed);
  (void)reader.next(late(), {});
  while (asked < 3) std::this_thread::yield();
  broken = false;
  CHECK(reader.next(late(), {}) == "event: status\ndata: [2]\n\n");
  CHECK(log.count("the page: no events: no such folder\n") == 1);
}
