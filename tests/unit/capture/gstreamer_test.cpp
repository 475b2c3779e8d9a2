#include "capture/gstreamer.hpp"

#include <opencv2/videoio/registry.hpp>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

bool has_gstreamer() {
  const bool has = cv::videoio_registry::hasBackend(cv::CAP_GSTREAMER);
  if (!has) WARN("SKIPPED: this OpenCV was built without GStreamer");
  return has;
}

/// The first frame of a live source that is there; waits 20 s at most.
bool next_frame(VideoSource& source, Frame& frame) {
  for (int i = 0; i < 100; ++i) {
    if (source.read(frame).status == ReadStatus::frame) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a pipeline without an appsink gets one that keeps the newest frame only") {
  CHECK(with_appsink("videotestsrc") == "videotestsrc ! videoconvert ! appsink drop=true max-buffers=1");
  CHECK(with_appsink("a ! appsink name=mine") == "a ! appsink name=mine");
}

TEST_CASE("a GStreamer pipeline is a live source") {
  if (!has_gstreamer()) return;
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

TEST_CASE("a grey pipeline becomes BGR") {
  if (!has_gstreamer()) return;
  const auto source =
      open_uri("gst:videotestsrc is-live=true ! video/x-raw,format=GRAY8 ! appsink drop=true max-buffers=1");
  Frame frame;
  REQUIRE(next_frame(*source, frame));
  CHECK(frame.image.type() == CV_8UC3);
}

TEST_CASE("a pipeline that does not start: what is wrong, and nothing from the libraries on stderr") {
  if (!has_gstreamer()) return;
  for (const auto& [pipeline, why] :
       {std::pair{"nosuchelement", "no element \"nosuchelement\""},
        {"nosuch ! appsink", "no element \"nosuch\""},
        {"videotestsrc ! ! x", "syntax error"},
        {"", "syntax error"},
        {"videotestsrc colour=1", "no property \"colour\""},
        {"v4l2src device=/dev/video97", "to see why: gst-launch-1.0 v4l2src device=/dev/video97"}}) {
    CapturedStderr noise;
    const Refusal refused = refusal("gst:" + std::string(pipeline));
    CHECK(noise.text() == "");
    CHECK(refused.code == ExitCode::no_source);
    CHECK_THAT(refused.text, ContainsSubstring(why));
    CHECK(refused.text.find('\n') == std::string::npos);
  }
}

TEST_CASE("csi without libcamera's plugin, or without a camera, says which") {
  if (!has_gstreamer()) return;
  CapturedStderr noise;
  const Refusal refused = refusal("csi");
  CHECK(noise.text() == "");
  if (refused.code == ExitCode::ok) return;  // a machine with a CSI camera
  CHECK(refused.code == ExitCode::no_source);
  const bool named = refused.text.find("sudo apt install gstreamer1.0-libcamera") != std::string::npos;
  const bool no_camera = refused.text.find("no CSI camera answers") != std::string::npos;
  CHECK((named || no_camera));
}
