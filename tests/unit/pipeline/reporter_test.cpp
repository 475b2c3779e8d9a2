#include "pipeline/reporter.hpp"

#include "catch.hpp"

using namespace glimpse;

namespace {

struct Keep : Sink {
  std::vector<Record> records;
  void accept(const Record& record) override { records.push_back(record); }
};

struct Bench {
  explicit Bench(int interval_ms)
      : live({std::chrono::milliseconds(interval_ms)}),
        reporter({"host", "pi-1", "boot-1", {"demo", true, "torch", "abc"}}, live, &sink, [] {
          DeliveryStatus delivery;
          delivery.pending = 3;
          delivery.dropped = 4;
          return delivery;
        }) {}
  Keep sink;
  SharedSettings live;
  Reporter reporter;
};

Frame frame(std::uint64_t index, Steady::time_point captured_at) {
  return {cv::Mat(), index, captured_at};
}

}  // namespace

TEST_CASE("With interval 0 every frame has its record") {
  Bench bench(0);
  const auto now = Steady::now();
  for (std::uint64_t i = 0; i < 5; ++i) {
    bench.reporter.frame_seen(0, now);
    bench.reporter.classified(frame(10 + i, now - std::chrono::milliseconds(9)),
                              {{{1, "cat", 0.5}}, 0.3, 4.0}, now);
  }
  bench.reporter.finish();
  REQUIRE(bench.sink.records.size() == 5);
  const Record& last = bench.sink.records.back();
  CHECK(last.seq == 5);
  CHECK(last.frame_index == 14);
  CHECK(last.frames_seen == 5);
  CHECK(last.frame_age_ms.value() == Approx(9.0));
  CHECK(last.preprocess_ms == 0.3);
  CHECK(last.inference_ms->p99 == 4.0);
  CHECK(last.predictions[0].label == "cat");
  CHECK(last.device == "pi-1");
  REQUIRE(last.delivery);
  CHECK(last.delivery->pending == 3);
  CHECK(last.delivery->dropped == 4);
}

TEST_CASE("With an interval each tick is a record, and the end brings the rest") {
  Bench bench(1000);
  const auto now = Steady::now();
  bench.reporter.tick();
  CHECK(bench.sink.records.size() == 1);
  CHECK(bench.sink.records[0].predictions.empty());
  CHECK_FALSE(bench.sink.records[0].frame_index.has_value());
  CHECK_FALSE(bench.sink.records[0].inference_fps.has_value());
  bench.reporter.classified(frame(0, now), {{{1, "cat", 0.5}}, 0.3, 4.0}, now);
  CHECK(bench.sink.records.size() == 1);
  bench.reporter.finish();
  REQUIRE(bench.sink.records.size() == 2);
  CHECK(bench.sink.records[1].seq == 2);
  bench.reporter.finish();  // nothing new: nothing to send
  CHECK(bench.sink.records.size() == 2);
}

TEST_CASE("Looking does not count as a record") {
  Bench bench(1000);
  CHECK(bench.reporter.peek().seq == 0);
  bench.reporter.tick();
  CHECK(bench.reporter.peek().seq == 1);
  CHECK(bench.sink.records.size() == 1);
}

TEST_CASE("What a screen shows is of the last second, however rare the records are") {
  Bench bench(60'000);
  const auto now = Steady::now();
  for (int ms = 40'000; ms >= 4'000; ms -= 100) {
    const auto then = now - std::chrono::milliseconds(ms);
    bench.reporter.frame_seen(0, then);
    bench.reporter.classified(frame(1, then), {{{1, "cat", 0.5}}, 0.3, 4.0}, then);
  }
  const Record seen = bench.reporter.peek();  // 4 s after the last frame
  CHECK(seen.capture_fps.value() < 0.3);
  CHECK(seen.inference_fps.value() < 0.3);
  CHECK_FALSE(seen.inference_ms);
  CHECK_FALSE(seen.frame_age_ms);
  bench.reporter.tick();  // the record is of its whole interval
  CHECK(bench.sink.records.back().inference_fps.value() > 8);
  CHECK(bench.sink.records.back().inference_ms);
  CHECK(bench.sink.records.back().frame_age_ms);
}

TEST_CASE("Frames that a live source dropped itself count as seen and dropped") {
  Bench bench(1000);
  bench.reporter.frame_seen(3, Steady::now());
  bench.reporter.frame_dropped();
  bench.reporter.picture_skipped();
  const RunTotals totals = bench.reporter.totals();
  CHECK(totals.seen == 4);
  CHECK(totals.dropped == 4);
  CHECK(totals.skipped == 1);
}
