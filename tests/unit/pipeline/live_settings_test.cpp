// Settings that change while frames come, and the threads' signs of life.
#include "core/live_settings.hpp"

#include <atomic>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;
using std::chrono::milliseconds;

TEST_CASE("The next frame has as many predictions as were asked for last") {
  Run run;
  std::vector<int> asked;
  Recognition steps = all_cats();
  steps.classify = [&](std::size_t, int top_k) {
    asked.push_back(top_k);
    LiveSettings settings = run.live.get();
    ++settings.top_k;
    run.live.set(settings);
    return cat();
  };
  run.play(counting_file(4), steps);
  CHECK(asked == std::vector<int>{10, 11, 12, 13});
}

TEST_CASE("A record for every frame begins and ends with the frame after the change") {
  Run run;
  const auto classify = [&](std::uint64_t index) {
    run.reporter.classified({cv::Mat(), index, Steady::now()}, cat(), Steady::now());
  };
  classify(0);
  LiveSettings settings = run.live.get();
  settings.interval = milliseconds(1000);
  run.live.set(settings);
  classify(1);
  settings.interval = milliseconds(0);
  run.live.set(settings);
  classify(2);
  REQUIRE(run.sink.records.size() == 2);
  CHECK(run.sink.records[0].frame_index == 0);
  CHECK(run.sink.records[1].frame_index == 2);
}

TEST_CASE("Events follow the rule that holds now; what was seen and granted before still counts") {
  Keep sink;
  SharedSettings live({milliseconds(1000), {milliseconds(300), 0.5, 2}});
  Reporter reporter({}, live, &sink, [] { return std::nullopt; });
  const auto start = Steady::now();
  const auto shows = [&](int index, int at_ms) {
    const auto at = start + milliseconds(at_ms);
    reporter.classified({cv::Mat(), 0, at}, {{{index, "-", 0.6}}, 0, 1}, at);
  };
  shows(1, 0);
  live.set({milliseconds(1000), {milliseconds(100), 0.5, 2}});
  shows(1, 100);  // held long enough for the new rule
  CHECK(sink.records.size() == 1);
  live.set({milliseconds(1000), {milliseconds(100), 0.7, 2}});
  shows(2, 200);
  shows(2, 300);  // not probable enough for it
  CHECK(sink.records.size() == 1);
  live.set({milliseconds(1000), {milliseconds(0), 0.5, 1}});
  shows(2, 400);
  CHECK(reporter.totals().events_left_out == 1);  // one was granted already
  live.set({milliseconds(1000), {milliseconds(0), 0.5, 2}});
  shows(1, 500);
  CHECK(sink.records.size() == 2);
}

TEST_CASE("Rates are those of the interval that holds now") {
  Keep sink;
  SharedSettings live({milliseconds(10'000)});
  Reporter reporter({}, live, &sink, [] { return std::nullopt; });
  const auto now = Steady::now();
  reporter.classified({cv::Mat(), 0, now}, {{{0, "cat", 1}}, 0, 500}, now - std::chrono::seconds(5));
  const auto sent = [&] {
    reporter.tick();
    return sink.records.back().inference_ms.value().p99;
  };
  CHECK(sent() == 500);
  live.set({milliseconds(1000)});
  reporter.classified({cv::Mat(), 1, now}, {{{0, "cat", 1}}, 0, 4}, now);
  CHECK(sent() == 4);
}

namespace {

bool is_busy(const Pipeline& pipeline, std::size_t thread) {
  return pipeline.pulses().at(thread)->busy_for(Steady::now()).has_value();
}

}  // namespace

TEST_CASE("A thread that hangs in its step is busy; those that wait for it are not") {
  Counter hangs, released;
  Recognition steps = all_cats();
  std::size_t stuck = 0;
  Run run;
  std::unique_ptr<VideoSource> source = counting_file(100);
  SECTION("reading") {
    source = std::make_unique<ScriptedSource>(false, [&](Frame&) -> ReadResult {
      hangs.add();
      (void)released.reaches(1);
      return {ReadStatus::end, ""};
    });
  }
  SECTION("preparing") {
    stuck = 1;
    steps.prepare = [&](const Frame&, std::size_t) {
      hangs.add();
      (void)released.reaches(1);
      return 0.1;
    };
  }
  SECTION("in the network") {
    stuck = 2;
    steps.classify = [&](std::size_t, int) {
      hangs.add();
      (void)released.reaches(1);
      return cat();
    };
  }
  Pipeline pipeline(std::move(source), steps, run.reporter, run.live, {});
  REQUIRE(hangs.reaches(1));
  for (std::size_t thread = 0; thread < 3; ++thread) {
    // Those behind come to rest at once, those before when they are full.
    while (thread != stuck && is_busy(pipeline, thread)) std::this_thread::yield();
  }
  CHECK(is_busy(pipeline, stuck));
  released.add();
  REQUIRE(pipeline.wait_until(Steady::now() + std::chrono::seconds(60), {}));
  for (std::size_t thread = 0; thread < 3; ++thread) {
    while (is_busy(pipeline, thread)) std::this_thread::yield();  // the last of its loop
  }
}

TEST_CASE("A source that gives nothing leaves capture at rest, one whose drivers hold all does not") {
  Run run;
  std::atomic<ReadStatus> status{ReadStatus::timeout};
  Pipeline pipeline(std::make_unique<ScriptedSource>(true,
                                                     [&](Frame&) -> ReadResult {
                                                       std::this_thread::yield();
                                                       return {status, ""};
                                                     }),
                    all_cats(), run.reporter, run.live, {});
  // At rest it is of no age.
  const auto age = [&] { return pipeline.pulses()[0]->busy_for(Steady::now()).value_or(milliseconds(0)); };
  for (const ReadStatus of : {ReadStatus::stuck, ReadStatus::timeout}) {
    status = of;
    const auto until = Steady::now() + std::chrono::seconds(60);
    bool as_expected = false;
    while (!as_expected && Steady::now() < until) {
      as_expected = (of == ReadStatus::stuck) == (age() >= milliseconds(500));
      std::this_thread::yield();
    }
    CHECK(as_expected);
  }
  status = ReadStatus::end;
}

TEST_CASE("wake() ends a wait before its time, also one that comes after it, and once") {
  Run run;
  Counter released;
  Pipeline pipeline(std::make_unique<ScriptedSource>(false,
                                                     [&](Frame&) -> ReadResult {
                                                       (void)released.reaches(1);
                                                       return {ReadStatus::end, ""};
                                                     }),
                    all_cats(), run.reporter, run.live, {});
  pipeline.wake();
  CHECK_FALSE(pipeline.wait_until(Steady::time_point::max(), {}));
  const auto soon = Steady::now() + milliseconds(20);
  CHECK_FALSE(pipeline.wait_until(soon, {}));
  CHECK(Steady::now() >= soon);
  std::jthread other([&] { pipeline.wake(); });
  CHECK_FALSE(pipeline.wait_until(Steady::time_point::max(), {}));
  released.add();
  CHECK(pipeline.wait_until(Steady::time_point::max(), {}));
}

TEST_CASE("A record names the model of its predictions; before there are any, the one of the start") {
  Keep sink;
  const SharedSettings live({milliseconds(1000)});
  Reporter reporter({"", "", "", {"first", false, "torch", "1"}}, live, &sink, [] { return std::nullopt; });
  reporter.tick();
  const auto shows = [&](const std::string& model) {
    Classification result = cat();
    result.model = std::make_shared<const ModelIdentity>(ModelIdentity{model, true, "onednn", "2"});
    reporter.classified({cv::Mat(), 0, Steady::now()}, result, Steady::now());
  };
  shows("second");
  shows("third");
  reporter.tick();
  reporter.tick();
  REQUIRE(sink.records.size() == 3);
  CHECK(sink.records[0].model.name == "first");
  CHECK(sink.records[1].model == ModelIdentity{"third", true, "onednn", "2"});
  CHECK(sink.records[2].model == sink.records[1].model);
}
