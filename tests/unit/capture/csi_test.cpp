// The pipeline of a CSI camera, word for word, with GStreamer's test picture in the camera's place.
#include <chrono>
#include <map>
#include <thread>

#include "capture/gstreamer.hpp"
#include "capture/live_capture.hpp"
#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

constexpr const char* bars = "videotestsrc is-live=true pattern=smpte";

CameraOptions asked(const std::string& size, const std::string& flip = "none", double fps = 50) {
  return camera_options(fps, size, flip);
}

cv::Mat picture(VideoSource& source) {
  Frame frame;
  REQUIRE(next_frame(source, frame));
  return frame.image;
}

/// The colours of the upper bars, left to right, as SMPTE EG 1 has them: white, yellow, cyan, green, magenta,
/// red, blue. They fill the upper two thirds.
std::string colour(const cv::Mat& image, double x, double y) {
  const auto& bgr = image.at<cv::Vec3b>(static_cast<int>(y * image.rows), static_cast<int>(x * image.cols));
  std::string name;
  for (const uchar channel : {bgr[2], bgr[1], bgr[0]}) name += channel > 127 ? '1' : '0';
  static const std::map<std::string, std::string> names{{"111", "white"}, {"001", "blue"}};
  const auto found = names.find(name);
  return found == names.end() ? "rgb " + name : found->second;
}

/// How far the bars have moved to the left: the one place where green rises, from blue to white, began at the
/// right edge.
int moved(const cv::Mat& image) {
  for (int x = 1; x < image.cols; ++x) {
    if (image.at<cv::Vec3b>(10, x - 1)[1] < 127 && image.at<cv::Vec3b>(10, x)[1] > 127) return image.cols - x;
  }
  return 0;
}

}  // namespace

TEST_CASE("the CSI pipeline asks for NV12 of this size, at this rate, and keeps the newest frame only") {
  CHECK(csi_pipeline({}) ==
        "libcamerasrc ! video/x-raw,format=NV12,width=640,height=480,framerate=36/1 ! "
        "queue leaky=downstream max-size-buffers=1 ! videoconvert ! video/x-raw,format=BGR ! "
        "appsink drop=true max-buffers=1 sync=false");
  CHECK_THAT(csi_pipeline(asked("1280x720")), ContainsSubstring("width=1280,height=720,framerate=50/1 "));
  for (const auto& [fps, text] : {std::pair{29.97, "framerate=2997/100 "},
                                  {12.5, "framerate=25/2 "},
                                  {1.0, "framerate=1/1 "},
                                  {1000.0, "framerate=1000/1 "}}) {
    CHECK_THAT(csi_pipeline(asked("", "none", fps)), ContainsSubstring(text));
  }
}

TEST_CASE("pictures of the size that was asked for come, also of one that libcamera would pad") {
  for (const auto& [size, expected] : {std::pair{"", cv::Size(640, 480)},
                                       {"1280x720", {1280, 720}},
                                       {"800x600", {800, 600}},
                                       {"224x224", {224, 224}}}) {
    const auto source = open_csi(asked(size, "none", 29.97), bars);
    CHECK(source->info().live);
    CHECK(source->info().fps == Approx(29.97));
    const cv::Mat image = picture(*source);
    CHECK(image.size() == expected);
    CHECK(image.type() == CV_8UC3);
    CHECK(colour(image, 0.05, 0.1) == "white");
  }
}

TEST_CASE("a camera's pictures are flipped as asked, by the CSI pipeline or after a V4L2 camera") {
  struct Corners {
    const char *flip, *top_left, *top_right, *bottom_left, *bottom_right;
  };
  const TempFolder folder;
  // Without a flip the lower corners are of the lower bars: dark blue, and noise. Nothing is said of them.
  for (const Corners& expected : {Corners{"none", "white", "blue", "", ""},
                                  {"horizontal", "blue", "white", "", ""},
                                  {"vertical", "", "", "white", "blue"},
                                  {"180", "", "", "blue", "white"}}) {
    const CameraOptions options = asked("320x240", expected.flip);
    CameraOptions upright = options;
    upright.flip = Flip::none;
    write_video(folder / "bars.avi", {picture(*open_csi(upright, bars))}, "MJPG");
    for (const auto& source :
         {open_csi(options, bars),
          read_live(try_open(folder / "bars.avi", cv::CAP_FFMPEG), SourceInfo{}, options.flip)}) {
      const cv::Mat image = picture(*source);
      const auto check = [&](double x, double y, const std::string& what) {
        if (!what.empty()) CHECK(colour(image, x, y) == what);
      };
      INFO(expected.flip);
      check(0.05, 0.1, expected.top_left);
      check(0.95, 0.1, expected.top_right);
      check(0.05, 0.9, expected.bottom_left);
      check(0.95, 0.9, expected.bottom_right);
    }
  }
}

TEST_CASE("who reads a CSI camera slowly gets the newest frame and not the next one") {
  constexpr int step = 4;  // pixels to the left with each frame; 100 frames a second
  const auto source = open_csi(asked("640x48", "none", 100), std::string(bars) + " horizontal-speed=4");
  const int before = moved(picture(*source));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // 50 frames: the reader is slow
  const int after = moved(picture(*source));
  const int frames = (after - before + 640) % 640 / step;
  CHECK(frames > 25);
}

TEST_CASE("a camera that cannot do what is asked: one line that says what to change") {
  std::string text;
  try {
    (void)open_csi(asked("640x480"), "videotestsrc ! identity error-after=1");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::no_source);
    text = error.what();
  }
  CHECK_THAT(text, ContainsSubstring(
                       "or it cannot do this --size at this --fps: identity: Failed after iterations"));
  CHECK_THAT(text, ContainsSubstring("list them with: cam --list"));
}
