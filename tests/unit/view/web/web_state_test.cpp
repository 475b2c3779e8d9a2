#include "view/web/web_state.hpp"

#include <nlohmann/json.hpp>

#include "capture/frame_tap.hpp"
#include "catch.hpp"

using namespace glimpse;

namespace {

struct NoControl : SettingsControl {
  InForce in_force() const override { return {{}, {"demo", true, "torch", ""}}; }
  void ask(SettingsChange, std::function<void(const std::vector<Refusal>&)>) override {}
};

struct Bench {
  NoControl control;
  FrameTap tap;
  Record record;
  FrameTimes times;
  WebSources sources{"0.1.0",
                     "a clip",
                     {1, 1000},
                     {0, 86400},
                     control,
                     tap,
                     [this] { return record; },
                     [this] { return times; },
                     [](int width, int) {
                       return PictureCrop{0.25, 0, 0.5, width == 640 ? 1.0 : 0.0};
                     },
                     [] {
                       return std::vector<InstalledModel>{{"demo", "models/demo", true, true},
                                                          {"small", "models/small", false, true}};
                     }};
  WebState state{sources};

  nlohmann::json status() { return nlohmann::json::parse(state.status({1, 2, 3})); }
};

}  // namespace

TEST_CASE("The status is the record and a view, whose frame is unknown before the first") {
  Bench bench;
  CHECK(bench.status().at("view").at("frame").is_null());
  CHECK(bench.status().at("view").at("crop").is_null());
  Frame frame;
  frame.image = cv::Mat(480, 640, CV_8UC3);
  bench.tap.offer(frame);
  bench.record.predictions = {{1, "odd \"label\" \xff", 0.5}};
  const auto status = bench.status();
  CHECK(status.at("schema") == "glimpse/1");
  CHECK(status.at("view").at("frame") == nlohmann::json{{"width", 640}, {"height", 480}});
  CHECK(status.at("view").at("crop") ==
        nlohmann::json{{"x", 0.25}, {"y", 0.0}, {"width", 0.5}, {"height", 1.0}});
  CHECK(status.at("view").at("viewers") == nlohmann::json{{"pictures", 1}, {"events", 2}});
  CHECK(status.at("view").at("source") == "a clip");
}

TEST_CASE("The status says how long ago a frame was named") {
  Bench bench;
  CHECK(bench.status().at("view").at("named_ms_ago").is_null());
  const auto before = Steady::now();
  bench.times.last_at = before - std::chrono::milliseconds(4500);
  const auto ago_ms = bench.status().at("view").at("named_ms_ago").get<std::int64_t>();
  CHECK(ago_ms >= 4500);
  CHECK(ago_ms <= 4500 + std::chrono::ceil<std::chrono::milliseconds>(Steady::now() - before).count());
}

TEST_CASE("The CPU's load is unknown until there is a second that it could be of") {
  Bench bench;
  CHECK(bench.status().at("system").at("cpu_percent").is_null());
  CHECK(bench.status().at("system").at("memory_mb").is_number());
}

TEST_CASE("The history has columns of one length, null where unknown, and no more than 5 minutes") {
  Bench bench;
  CHECK(nlohmann::json::parse(bench.state.history()).at("inference_fps").empty());
  bench.record.inference_fps = 29.876;
  for (int i = 0; i < 310; ++i) {
    bench.record.time_ms = i;
    bench.state.sample();
  }
  const auto history = nlohmann::json::parse(bench.state.history());
  for (const auto& [name, column] : history.items()) CHECK(column.size() == 300);
  CHECK(history.at("time_ms").front() == 10);
  CHECK(history.at("time_ms").back() == 309);
  CHECK(history.at("inference_fps").back() == 29.88);
  CHECK(history.at("capture_fps").back().is_null());
}

TEST_CASE("A run is well while frames are named, and for 10 s without one") {
  const Steady::time_point start{};
  using std::chrono::seconds;
  CHECK(health_fault({}, start, start + seconds(9)).empty());
  CHECK(health_fault({}, start, start + seconds(10)) == "no frame named yet, in 10 s");
  CHECK(health_fault(start + seconds(60), start, start + seconds(69)).empty());
  CHECK(health_fault(start + seconds(60), start, start + seconds(72)) == "no frame named for 12 s");
}
