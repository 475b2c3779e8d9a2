#include "pipeline/pipeline.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <stdexcept>

#include "catch.hpp"

using namespace glimpse;

namespace {

/// A source that does what a test says.
class ScriptedSource : public VideoSource {
 public:
  ScriptedSource(bool live, std::function<ReadResult(Frame&)> read) : read_(std::move(read)) {
    info_.live = live;
  }
  ReadResult read(Frame& frame) override { return read_(frame); }
  const SourceInfo& info() const override { return info_; }

 private:
  std::function<ReadResult(Frame&)> read_;
  SourceInfo info_;
};

struct Keep : Sink {
  std::vector<Record> records;
  void accept(const Record& record) override { records.push_back(record); }
};

std::unique_ptr<VideoSource> counting_file(std::uint64_t frames, ReadResult then = {ReadStatus::end, ""}) {
  return std::make_unique<ScriptedSource>(false,
                                          [=, next = std::uint64_t{0}](Frame& frame) mutable -> ReadResult {
                                            if (next == frames) return then;
                                            frame.index = next++;
                                            frame.captured_at = Steady::now();
                                            return {};
                                          });
}

Classification named(const Frame&, int) {
  return {{{0, "cat", 1.0}}, 0.1, 1.0};
}

struct Run {
  Keep sink;
  Reporter reporter{{}, std::chrono::milliseconds(0), {&sink}, [] { return OutboxCounts{}; }};
  PipelineEnd end;

  void play(std::unique_ptr<VideoSource> source, const Pipeline::Classify& classify,
            PipelineOptions options = {}) {
    Pipeline pipeline(std::move(source), classify, reporter, options);
    REQUIRE(pipeline.wait_until(Steady::now() + std::chrono::seconds(30), {}));
    end = pipeline.end();
  }
};

}  // namespace

TEST_CASE("No frame of a file is lost, and their order stays") {
  Run run;
  run.play(counting_file(500), named);
  REQUIRE(run.sink.records.size() == 500);
  for (std::uint64_t i = 0; i < 500; ++i) CHECK(run.sink.records[i].frame_index == i);
  CHECK(run.reporter.totals().dropped == 0);
  CHECK(run.end.code == ExitCode::ok);
}

TEST_CASE("A source that breaks is played to where it broke, then the reason is told") {
  Run run;
  run.play(counting_file(7, {ReadStatus::failed, "clip.mp4: the file is damaged"}), named);
  CHECK(run.sink.records.size() == 7);
  CHECK(run.end.code == ExitCode::bad_data);
  CHECK(run.end.reason == "clip.mp4: the file is damaged");
}

TEST_CASE("A picture that cannot be decoded is skipped and counted") {
  Run run;
  int reads = 0;
  run.play(std::make_unique<ScriptedSource>(false,
                                            [&](Frame& frame) -> ReadResult {
                                              frame.index = static_cast<std::uint64_t>(reads++);
                                              if (reads == 2) return {ReadStatus::skipped, "b.png: empty"};
                                              return {reads > 3 ? ReadStatus::end : ReadStatus::frame, ""};
                                            }),
           named);
  CHECK(run.sink.records.size() == 2);
  CHECK(run.reporter.totals().skipped == 1);
}

TEST_CASE("The limit ends a source that would never end") {
  Run run;
  run.play(counting_file(UINT64_MAX), named, {10, 25, false});
  CHECK(run.sink.records.size() == 25);
}

TEST_CASE("A live source overwrites, and the newest frame is the one that is named") {
  // The network gets to its second frame only after the source has given its last.
  std::atomic<bool> all_given{false};
  Run run;
  auto source = std::make_unique<ScriptedSource>(
      true, [&, next = std::uint64_t{0}](Frame& frame) mutable -> ReadResult {
        if (next == 100) {
          all_given = true;
          all_given.notify_all();
          return {ReadStatus::end, ""};
        }
        frame.index = next++;
        return {};
      });
  run.play(std::move(source), [&](const Frame& frame, int k) {
    all_given.wait(false);
    return named(frame, k);
  });
  CHECK(run.sink.records.size() <= 2);
  CHECK(run.sink.records.back().frame_index == 99);
  const RunTotals totals = run.reporter.totals();
  CHECK(totals.seen == 100);
  CHECK(totals.dropped + totals.classified == 100);
}

TEST_CASE("A network that throws ends the run with its reason") {
  Run run;
  run.play(counting_file(UINT64_MAX),
           [](const Frame&, int) -> Classification { throw std::runtime_error("out of luck"); });
  CHECK(run.end.code == ExitCode::internal);
  CHECK(run.end.reason == "out of luck");
}

TEST_CASE("A pipeline can be stopped at any moment") {
  Run run;
  Pipeline pipeline(counting_file(UINT64_MAX), named, run.reporter, {});
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(pipeline.wait_until(Steady::now() + std::chrono::hours(1), stop.get_token()));
}
