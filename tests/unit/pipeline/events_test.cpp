// Records at once, when what is seen changes.
#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

#include "pipeline/reporter.hpp"
#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;
using std::chrono::milliseconds;

namespace {

constexpr EventRule usual{milliseconds(300), 0.5, 3600};

/// A reporter whose frames come at the times that a test says.
struct Watch {
  explicit Watch(EventRule rule, int interval_ms = 1000, Sink* into = nullptr)
      : live({milliseconds(interval_ms), rule}),
        reporter(
            {}, live, into != nullptr ? into : &sink, [] { return std::nullopt; },
            [this] { return wall_ms; }) {}

  void shows(const std::string& label, int at_ms) {
    const auto now = start + milliseconds(at_ms);
    const int index = static_cast<int>(label.front());
    reporter.classified({cv::Mat(), frames++, now}, {{{index, label, 0.9}, {0, "-", 0.05}}, 0, 1.0}, now);
  }

  const Steady::time_point start = Steady::now();
  std::uint64_t frames = 0;
  std::int64_t wall_ms = 1732262400123;
  Keep sink;
  SharedSettings live;
  Reporter reporter;
};

}  // namespace

TEST_CASE("A change that has held has a record at once, besides those of the interval") {
  Watch watch(usual);
  watch.shows("umbrella", 0);
  watch.shows("umbrella", 200);
  CHECK(watch.sink.records.empty());
  watch.shows("umbrella", 300);
  REQUIRE(watch.sink.records.size() == 1);
  CHECK(watch.sink.records[0].trigger == Trigger::change);
  CHECK(watch.sink.records[0].seq == 1);
  CHECK(watch.sink.records[0].frame_index == 2);
  CHECK(watch.sink.records[0].predictions[0].label == "umbrella");

  watch.reporter.tick();
  watch.shows("banana", 1100);
  watch.shows("banana", 1400);
  watch.shows("banana", 1500);
  watch.reporter.finish();
  REQUIRE(watch.sink.records.size() == 4);
  const auto triggers = {Trigger::change, Trigger::interval, Trigger::change, Trigger::interval};
  std::uint64_t seq = 0;
  for (const Trigger trigger : triggers) {
    CHECK(watch.sink.records[seq].trigger == trigger);
    CHECK(watch.sink.records[seq].seq == seq + 1);
    ++seq;
  }
  CHECK(watch.sink.records[2].predictions[0].label == "banana");
  CHECK(watch.reporter.totals().records == 4);
  CHECK(watch.reporter.totals().events_left_out == 0);
}

TEST_CASE("What an event has told is not told again at the end") {
  Watch watch(usual);
  watch.shows("umbrella", 0);
  watch.shows("umbrella", 300);
  watch.reporter.finish();
  CHECK(watch.sink.records.size() == 1);
}

TEST_CASE("Changes above the cap are counted, not caught up with, and stand in the next interval's record") {
  Watch watch({milliseconds(300), 0.5, 1});
  int now_ms = 0;
  for (const char* label : {"umbrella", "banana", "car"}) {
    for (int i = 0; i <= 3; ++i) watch.shows(label, now_ms += 100);
  }
  CHECK(watch.sink.records.size() == 1);
  CHECK(watch.reporter.totals().events_left_out == 2);
  watch.reporter.tick();
  CHECK(watch.sink.records.back().predictions[0].label == "car");
  constexpr int two_hours_ms = 7'200'000;
  watch.shows("car", two_hours_ms);  // no news
  CHECK(watch.sink.records.size() == 2);
  watch.shows("umbrella", two_hours_ms + 100);
  watch.shows("umbrella", two_hours_ms + 400);
  REQUIRE(watch.sink.records.size() == 3);
  CHECK(watch.sink.records[2].trigger == Trigger::change);
}

TEST_CASE("Nothing is an event where none is wanted, and none is left out") {
  Watch watch({milliseconds(0), 0.0, 0});
  watch.shows("umbrella", 0);
  watch.shows("banana", 1000);
  CHECK(watch.sink.records.empty());
  CHECK(watch.reporter.totals().events_left_out == 0);
}

TEST_CASE("With interval 0 each frame has its one record, and no event another") {
  Watch watch({milliseconds(0), 0.0, 3600}, 0);
  watch.shows("umbrella", 0);
  watch.shows("banana", 1000);
  REQUIRE(watch.sink.records.size() == 2);
  for (const Record& record : watch.sink.records) CHECK(record.trigger == Trigger::interval);
}

TEST_CASE("Records made in the same millisecond have different times, and looking takes none of them") {
  Watch watch({milliseconds(0), 0.5, 3600});
  watch.reporter.tick();
  watch.shows("umbrella", 0);
  CHECK(watch.reporter.peek().time_ms == watch.wall_ms);
  watch.reporter.tick();
  std::vector<std::int64_t> times;
  for (const Record& record : watch.sink.records) times.push_back(record.time_ms);
  CHECK(times == std::vector<std::int64_t>{1732262400123, 1732262400124, 1732262400125});
}

TEST_CASE("Events and intervals at once: the sink sees one record at a time, in order of seq") {
  struct InOrder : Sink {
    std::atomic<bool> inside = false;
    std::uint64_t last = 0;
    bool ordered = true, alone = true;
    void accept(const Record& record) override {
      if (inside.exchange(true)) alone = false;
      if (record.seq != last + 1) ordered = false;
      last = record.seq;
      inside = false;
    }
  } sink;
  Watch watch({milliseconds(0), 0.5, 1'000'000}, 1000, &sink);
  constexpr int each = 2000;
  {
    const std::jthread events([&] {
      for (int i = 0; i < each; ++i) watch.shows(i % 2 == 0 ? "umbrella" : "banana", i);
    });
    for (int i = 0; i < each; ++i) watch.reporter.tick();
  }
  CHECK(sink.last == 2 * each);
  CHECK(sink.ordered);
  CHECK(sink.alone);
}

TEST_CASE("A sink at work does not hold up the counting of frames") {
  struct Counting : Sink {
    Reporter* reporter = nullptr;
    bool counted = false;
    void accept(const Record&) override {
      const auto frame = std::async(std::launch::async, [this] { reporter->frame_dropped(); });
      counted = frame.wait_for(std::chrono::seconds(30)) == std::future_status::ready;
      if (!counted) std::abort();  // the other thread would wait for ever
    }
  } sink;
  Watch watch({milliseconds(0), 0.5, 3600}, 1000, &sink);
  sink.reporter = &watch.reporter;
  watch.shows("umbrella", 0);
  CHECK(sink.counted);
  CHECK(watch.reporter.totals().dropped == 1);
}
