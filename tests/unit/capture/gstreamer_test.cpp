#include "capture/gstreamer.hpp"

#include <chrono>
#include <thread>

#include "capture/gstreamer_pipeline.hpp"
#include "capture/live_source.hpp"
#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

constexpr const char* small = "video/x-raw,width=32,height=16,framerate=100/1";

int threads() {
  const std::filesystem::directory_iterator all("/proc/self/task");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

/// Threads end a moment after they were told to; waits 20 s at most. GLib keeps two idle ones.
bool no_more_threads_than(int before) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (threads() > before + 2 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  return threads() <= before + 2;
}

std::string play_error(const std::string& pipeline,
                       std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  try {
    (void)play_pipeline(pipeline, "it", limit);
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::no_source);
    return error.what();
  }
  return "";
}

/// What a source says before it gives `frames` frames.
std::vector<std::string> told(VideoSource& source, int frames) {
  std::vector<std::string> reasons;
  for (int tries = 0; frames > 0 && tries < 200; ++tries) {
    Frame frame;
    const ReadResult result = source.read(frame);
    if (result.status == ReadStatus::frame) --frames;
    if (!result.reason.empty()) reasons.push_back(result.reason);
  }
  CHECK(frames == 0);
  return reasons;
}

}  // namespace

TEST_CASE("a pipeline without an appsink gets one that keeps the newest frame only") {
  CHECK(with_appsink("videotestsrc") == "videotestsrc ! videoconvert ! appsink drop=true max-buffers=1");
  CHECK(with_appsink("a ! appsink name=mine") == "a ! appsink name=mine");
}

TEST_CASE("a GStreamer pipeline is a live source") {
  const auto source =
      open_uri("gst:videotestsrc is-live=true pattern=white ! video/x-raw,width=96,height=64,framerate=50/1");
  CHECK(source->info().live);
  CHECK(source->info().fps == 50);
  CHECK_THAT(source->info().description, ContainsSubstring("96x64 at 50 fps"));
  Frame frame;
  std::uint64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(next_frame(*source, frame));
    CHECK(frame.image.size() == cv::Size(96, 64));
    CHECK(frame.image.type() == CV_8UC3);
    CHECK(cv::mean(frame.image)[0] > 230);  // white
    if (i > 0) CHECK(frame.index > last);
    last = frame.index;
  }
}

TEST_CASE("each format that an appsink of one's own may give becomes BGR, whatever its rows are padded to") {
  for (const std::string format : {"BGR", "BGRx", "BGRA", "GRAY8", "GRAY16_LE", "NV12", "RGB"}) {
    INFO(format);
    const bool is_taken = format != "NV12" && format != "RGB";
    const auto source =
        play_pipeline("videotestsrc pattern=red ! video/x-raw,width=33,height=5,format=" + format +
                          (is_taken ? " ! appsink" : " ! videoconvert ! appsink"),
                      "it");
    Frame frame;
    REQUIRE(next_frame(*source, frame));
    CHECK(frame.image.type() == CV_8UC3);
    CHECK(frame.image.size() == cv::Size(33, 5));
    // Red, of which grey keeps a fifth to a third, as BT.709 or BT.601 weighs it.
    const bool is_grey = format.starts_with("GRAY");
    for (const cv::Point at : {cv::Point(0, 0), cv::Point(32, 4)}) {
      const auto& pixel = frame.image.at<cv::Vec3b>(at);
      CHECK((is_grey ? pixel[2] > 40 && pixel[2] < 100 : pixel[2] > 230));
      CHECK((is_grey ? pixel[0] == pixel[2] : pixel[0] < 25));
    }
  }
}

TEST_CASE("a picture whose size changes on the way comes in its new size") {
  const auto source = play_pipeline(
      "concat name=both ! appsink "
      "videotestsrc num-buffers=1 ! video/x-raw,format=BGR,width=16,height=16 ! both. "
      "videotestsrc num-buffers=1 ! video/x-raw,format=BGR,width=48,height=32 ! both.",
      "it");
  CHECK(source->info().description == "it, 16x16 at 30 fps");
  Frame frame;
  REQUIRE(next_frame(*source, frame));
  CHECK(frame.image.size() == cv::Size(16, 16));
  REQUIRE(next_frame(*source, frame));
  CHECK(frame.image.size() == cv::Size(48, 32));
  CHECK(frame.index == 1);
  CHECK(source->read(frame).status == ReadStatus::end);
}

TEST_CASE("pictures that are kept stay as they were, though GStreamer uses their memory again") {
  const auto source = play_pipeline(
      "videotestsrc num-buffers=30 horizontal-speed=7 ! video/x-raw,format=BGR ! appsink sync=false", "it");
  std::vector<std::pair<cv::Mat, cv::Mat>> kept;
  Frame frame;
  while (kept.size() < 30) {
    REQUIRE(next_frame(*source, frame));
    kept.emplace_back(frame.image, frame.image.clone());
  }
  for (const auto& [image, was] : kept) CHECK(cv::norm(image, was, cv::NORM_INF) == 0);
}

TEST_CASE("a pipeline that does not start: what is wrong, and nothing from the libraries on stderr") {
  for (const auto& [pipeline, why] : {std::pair{"nosuchelement", "no element \"nosuchelement\""},
                                      {"nosuch ! appsink", "no element \"nosuch\""},
                                      {"videotestsrc ! ! x", "syntax error"},
                                      {"", "syntax error"},
                                      {"videotestsrc colour=1", "no property \"colour\""},
                                      {"v4l2src device=/dev/video97",
                                       "the pipeline does not start: v4l2src: Cannot identify device "
                                       "'/dev/video97' (system error: No such file"},
                                      {"audiotestsrc ! appsink", "not-negotiated"},
                                      {"videotestsrc ! fakesink name=appsink", "it has no appsink"},
                                      {"videotestsrc num-buffers=0", "it ended without a frame"}}) {
    CapturedStderr noise;
    const Refusal refused = refusal("gst:" + std::string(pipeline));
    CHECK(noise.text() == "");
    CHECK(refused.code == ExitCode::no_source);
    CHECK_THAT(refused.text, ContainsSubstring(why));
    CHECK(refused.text.find('\n') == std::string::npos);
  }
}

TEST_CASE("csi without libcamera's plugin, or without a camera, says which") {
  CapturedStderr noise;
  const Refusal refused = refusal("csi");
  CHECK(noise.text() == "");
  if (refused.code == ExitCode::ok) return;  // a machine with a CSI camera
  CHECK(refused.code == ExitCode::no_source);
  const bool named = refused.text.find("sudo apt install gstreamer1.0-libcamera") != std::string::npos;
  const bool no_camera = refused.text.find("no CSI camera answers") != std::string::npos;
  CHECK((named || no_camera));
}

TEST_CASE(
    "a pipeline that fails at its start a hundred times says the same each time and leaves no thread "
    "behind") {
  const std::string failing =
      std::string("videotestsrc is-live=true ! ") + small + " ! identity error-after=1";
  const std::string reason = play_error(with_appsink(failing));
  CHECK(reason == "identity: Failed after iterations as requested");
  const int before = threads();
  for (int i = 0; i < 100; ++i) CHECK(play_error(with_appsink(failing)) == reason);
  CHECK(no_more_threads_than(before));
}

TEST_CASE("a pipeline that never gives a frame ends with the limit") {
  for (const char* pipeline : {"appsink", "appsrc is-live=true ! appsink",
                               "videotestsrc is-live=true ! valve drop=true ! appsink"}) {
    const auto start = std::chrono::steady_clock::now();
    CHECK(play_error(pipeline, std::chrono::milliseconds(300)) == "it gave nothing for 0.3 s");
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  }
}

TEST_CASE("a pipeline that breaks off says why, and one that ends that it did; both are started again") {
  for (const auto& [breaking, why] :
       {std::pair{"identity error-after=10",
                  "pipeline: identity: Failed after iterations as requested; reopening"},
        {"identity eos-after=10", "pipeline: the stream has ended; reopening"}}) {
    const auto open = [text = std::string("videotestsrc is-live=true ! ") + small + " ! " + breaking] {
      return open_gstreamer(text);
    };
    LiveLimits quick;
    quick.backoff_base = quick.backoff_cap = std::chrono::milliseconds(1);
    LiveSource source("pipeline", open(), open, quick);
    const std::vector<std::string> reasons = told(source, 25);
    REQUIRE(reasons.size() >= 2);
    CHECK_THAT(reasons[0], ContainsSubstring(why));
    CHECK_THAT(reasons[1], ContainsSubstring("pipeline is back after"));
  }
}

TEST_CASE(
    "a pipeline with a slow camera is waited for in turns, and one stuck in its driver is left to itself") {
  const int before = threads();
  {
    const auto slow = play_pipeline(
        "videotestsrc is-live=true ! video/x-raw,format=BGR,width=32,height=16,framerate=1/2 ! appsink",
        "it");
    Frame frame;
    REQUIRE(slow->read(frame).status == ReadStatus::frame);
    CHECK(slow->read(frame).status == ReadStatus::timeout);
  }
  const auto open = [] {  // a frame at once, and after it one that takes 2 s, in which it cannot be stopped
    return open_gstreamer(
        "videotestsrc ! video/x-raw,width=32,height=16,framerate=1/2 ! identity sleep-time=2000000");
  };
  auto stuck = std::make_unique<LiveSource>("pipeline", open(), open);
  Frame frame;
  REQUIRE(next_frame(*stuck, frame));
  const auto start = std::chrono::steady_clock::now();
  stuck.reset();
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::milliseconds(1500));
  CHECK(no_more_threads_than(before));  // it ends by itself
}
