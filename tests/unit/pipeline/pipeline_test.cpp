#include "pipeline/pipeline.hpp"

#include <stdexcept>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

TEST_CASE("No frame of a file is lost, and their order stays") {
  Run run;
  run.play(counting_file(500), all_cats());
  REQUIRE(run.sink.records.size() == 500);
  for (std::uint64_t i = 0; i < 500; ++i) CHECK(run.sink.records[i].frame_index == i);
  CHECK(run.reporter.totals().dropped == 0);
  CHECK(run.end.code == ExitCode::ok);
}

TEST_CASE("A source that breaks is played to where it broke, then the reason is told") {
  Run run;
  run.play(counting_file(7, {ReadStatus::failed, "clip.mp4: the file is damaged"}), all_cats());
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
           all_cats());
  CHECK(run.sink.records.size() == 2);
  CHECK(run.reporter.totals().skipped == 1);
}

TEST_CASE("The limit ends a source that would never end") {
  Run run;
  run.play(counting_file(UINT64_MAX), all_cats(), {25, false, {}});
  CHECK(run.sink.records.size() == 25);
}

TEST_CASE("A network that throws ends the run with its reason") {
  Run run;
  Recognition broken = all_cats();
  broken.classify = [](std::size_t, int) -> Classification { throw std::runtime_error("out of luck"); };
  run.play(counting_file(UINT64_MAX), broken);
  CHECK(run.end.code == ExitCode::internal);
  CHECK(run.end.reason == "out of luck");
}

TEST_CASE("A pipeline can be stopped at any moment") {
  Run run;
  Pipeline pipeline(counting_file(UINT64_MAX), all_cats(), run.reporter, run.live, {});
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(pipeline.wait_until(Steady::now() + std::chrono::hours(1), stop.get_token()));
}
