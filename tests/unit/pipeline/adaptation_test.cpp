// --adapt, from a fake /sys and a slow network to the log and the records.
#include "pipeline/adaptation.hpp"

#include <thread>

#include "captured_log.hpp"
#include "support.hpp"
#include "temp_folder.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

const std::string throttled_file = "sys/devices/platform/soc/soc:firmware/get_throttled";

struct HotRoot : TempFolder {
  HotRoot() {
    write("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
    write("sys/class/thermal/thermal_zone0/temp", "81000\n");
    write(throttled_file, "0\n");
  }
};

Reporter reporter_on(const TempFolder& machine, const SharedSettings& live, Sink* sink = nullptr) {
  return Reporter(
      {}, live, sink, [] { return std::nullopt; }, [] { return std::int64_t{0}; },
      SystemMeter(machine.path()));
}

/// A camera of 36 fps and a network that names each frame that is taken, on a machine of our own.
class Play {
 public:
  void seconds(int count) {
    for (int i = 0; i < 36 * count; ++i) {
      now_ += std::chrono::microseconds(1'000'000 / 36);
      reporter.look(now_);
      adaptation.look(now_);
      reporter.frame_seen(0, now_);
      if (adaptation.takes(now_)) {
        ++taken;
        reporter.classified({cv::Mat(), 0, now_}, cat(), now_);
      } else {
        reporter.frame_left_out();
      }
    }
  }

  HotRoot root;
  Keep sink;
  SharedSettings live{{std::chrono::hours(1)}};
  Reporter reporter = reporter_on(root, live, &sink);
  Adaptation adaptation{reporter};
  int taken = 0;

 private:
  Steady::time_point now_ = Steady::now();
};

}  // namespace

TEST_CASE(
    "A hot machine takes fewer frames, says so with its temperature, and takes all again when it is cool") {
  CapturedLog log;
  Play play;
  play.seconds(5);
  CHECK(play.taken == 5 * 36);
  CHECK_FALSE(play.reporter.peek().target_fps);

  play.root.write(throttled_file, "80008\n");
  play.seconds(3);
  CHECK(log.count("taking 27 fps instead of 36: soft temperature limit, 81 °C") == 1);
  CHECK(log.count("the firmware says soft temperature limit at 81 °C: give the CPU") == 1);
  Record record = play.reporter.peek();
  CHECK(record.target_fps.value_or(0) == Approx(27).epsilon(0.03));
  CHECK(record.target_reason == "soft temperature limit");

  play.root.write(throttled_file, "0\n");
  play.root.write("sys/class/thermal/thermal_zone0/temp", "60000\n");
  play.taken = 0;
  const auto left_out = play.reporter.totals().left_out;
  play.seconds(10);
  CHECK(play.taken == Approx(270).epsilon(0.03));
  CHECK(play.reporter.totals().left_out - left_out == static_cast<std::uint64_t>(360 - play.taken));

  play.seconds(600);
  CHECK(log.count("taking 36 fps again, every frame") == 1);
  CHECK(log.count("the firmware has not said soft temperature limit for 60 s") == 1);
  record = play.reporter.peek();
  CHECK_FALSE(record.target_fps);
  CHECK(record.frames_left_out == play.reporter.totals().left_out);
  CHECK(play.reporter.totals().seen == play.reporter.totals().classified + play.reporter.totals().left_out);
}

TEST_CASE("Without --adapt throttling is said all the same, once") {
  CapturedLog log;
  TempFolder root;
  root.write(throttled_file, "50005\n");
  const SharedSettings live{{std::chrono::hours(1)}};
  Reporter reporter = reporter_on(root, live);
  const auto start = Steady::now();
  for (int s = 0; s < 20; ++s) reporter.look(start + std::chrono::seconds(s));
  CHECK(log.count("the firmware says under-voltage, throttled: use a 5 V 3 A supply") == 1);
  CHECK(log.count("firmware") == 1);
}

TEST_CASE("A network slower than the camera drops ever fewer frames, because fewer are taken") {
  // A camera with 200 fps, a network of 50; the governor looks every 100 ms.
  RateRules fast;
  fast.look = std::chrono::milliseconds(100);
  fast.drop_patience = std::chrono::milliseconds(150);
  fast.drop_calm = std::chrono::hours(1);
  CapturedLog log;
  Run run;
  const auto start = Steady::now();
  std::uint64_t frames = 0;
  RunTotals early, middle;
  run.play(std::make_unique<ScriptedSource>(true,
                                            [&](Frame& frame) -> ReadResult {
                                              if (frames == 800) return {ReadStatus::end, ""};
                                              std::this_thread::sleep_until(
                                                  start + frames * std::chrono::milliseconds(5));
                                              frame.index = frames++;
                                              frame.captured_at = Steady::now();
                                              if (frames == 50) early = run.reporter.totals();
                                              if (frames == 400) middle = run.reporter.totals();
                                              return {};
                                            }),
           {[](const Frame&, std::size_t) { return 0.0; },
            [](std::size_t, int) {
              std::this_thread::sleep_for(std::chrono::milliseconds(20));  // 50 fps at most
              return cat();
            }},
           {0, false, fast});
  const RunTotals end = run.reporter.totals();
  CHECK(end.seen == 800);
  CHECK(end.seen == end.classified + end.dropped + end.left_out);
  const auto dropped_share = [](const RunTotals& from, const RunTotals& to) {
    const auto taken = (to.seen - to.left_out) - (from.seen - from.left_out);
    return static_cast<double>(to.dropped - from.dropped) / static_cast<double>(taken);
  };
  CHECK(early.dropped > 10);
  CHECK(dropped_share(middle, end) < dropped_share({}, early) / 3);
  CHECK(log.count("% of the frames dropped") >= 1);
}

TEST_CASE("What the camera's driver drops itself lowers nothing: fewer frames would not mend it") {
  const HotRoot root;
  const SharedSettings live{{std::chrono::hours(1)}};
  Reporter reporter = reporter_on(root, live);
  Adaptation adaptation(reporter);
  auto now = Steady::now();
  for (int i = 0; i < 1000; ++i) {
    now += std::chrono::milliseconds(30);
    adaptation.look(now);
    reporter.frame_seen(5, now);
    REQUIRE(adaptation.takes(now));
  }
  CHECK_FALSE(reporter.peek().target_fps);
}

TEST_CASE("A file waits, and --adapt leaves none of its frames out however hot it is") {
  const HotRoot root;
  root.write(throttled_file, "8\n");
  Keep sink;
  const SharedSettings live{{std::chrono::milliseconds(0)}};
  Reporter reporter = reporter_on(root, live, &sink);
  RateRules eager;
  eager.look = std::chrono::milliseconds(0);
  Pipeline pipeline(counting_file(300), all_cats(), reporter, live, {0, false, eager});
  REQUIRE(pipeline.wait_until(Steady::now() + std::chrono::seconds(60), {}));
  CHECK(sink.records.size() == 300);
  CHECK(reporter.totals().left_out == 0);
}
