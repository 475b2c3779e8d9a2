#include "diagnosis/sources.hpp"

#include <linux/videodev2.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "capture/gstreamer_pipeline.hpp"
#include "catch.hpp"
#include "shown.hpp"
#include "temp_folder.hpp"

using namespace glimpse;

namespace {

/// A driver as uvcvideo is: two formats, with sizes.
struct FakeDriver {
  std::string card = "USB 2.0 Camera", driver = "uvcvideo";
  unsigned capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
  int error = 0;
  bool stepwise = false;

  int operator()(int, unsigned long request, void* argument) const {
    const auto refuse = [](int number) {
      errno = number;
      return -1;
    };
    if (error != 0) return refuse(error);
    if (request == VIDIOC_QUERYCAP) {
      auto& answer = *static_cast<v4l2_capability*>(argument);
      std::memcpy(answer.card, card.data(), card.size());
      std::memcpy(answer.driver, driver.data(), driver.size());
      answer.capabilities = V4L2_CAP_DEVICE_CAPS | V4L2_CAP_VIDEO_CAPTURE;  // of the whole camera
      answer.device_caps = capabilities;
      return 0;
    }
    if (request == VIDIOC_ENUM_FMT) {
      auto& answer = *static_cast<v4l2_fmtdesc*>(argument);
      if (answer.type != V4L2_BUF_TYPE_VIDEO_CAPTURE || answer.index > 1) return refuse(EINVAL);
      answer.pixelformat = answer.index == 0 ? V4L2_PIX_FMT_YUYV : V4L2_PIX_FMT_MJPEG;
      return 0;
    }
    if (request != VIDIOC_ENUM_FRAMESIZES) return refuse(ENOTTY);  // it would start or change something
    auto& answer = *static_cast<v4l2_frmsizeenum*>(argument);
    if (stepwise && answer.index == 0) {
      answer.type = V4L2_FRMSIZE_TYPE_STEPWISE;
      answer.stepwise = {32, 1920, 2, 16, 1080, 2};
      return 0;
    }
    if (answer.index >= (answer.pixel_format == V4L2_PIX_FMT_YUYV ? 8U : 1U)) return refuse(EINVAL);
    answer.type = V4L2_FRMSIZE_TYPE_DISCRETE;
    answer.discrete = {160 * (answer.index + 1), 120 * (answer.index + 1)};
    return 0;
  }
};

SourceOptions source(const std::string& uri) {
  return {uri, {}, false, {}};
}

Check look(const std::string& uri, const FakeDriver& driver = {}, const Parse& parse = pipeline_error) {
  return check_source(source(uri), driver, parse);
}

/// Who we are, as the machine says.
std::string me() {
  const std::unique_ptr<FILE, int (*)(FILE*)> id(popen("id -un", "r"), pclose);
  char name[64] = "";
  REQUIRE(std::fscanf(id.get(), "%63s", name) == 1);
  return name;
}

}  // namespace

TEST_CASE("No camera at all is no failure of its own") {
  const TempFolder dev;
  const Checks checks = check_cameras(dev.path(), FakeDriver{});
  REQUIRE(checks.size() == 1);
  CHECK(shown(checks[0]) ==
        "ok cameras: there is no " + dev.path().string() + "/video*: no camera is plugged in");
}

TEST_CASE("A camera tells its name, formats and sizes") {
  const TempFolder dev;
  const std::string device = dev.write("video0", "");
  const Checks checks = check_cameras(dev.path(), FakeDriver{});
  REQUIRE(checks.size() == 1);
  CHECK(shown(checks[0]) ==
        "ok camera " + device +
            ": USB 2.0 Camera (uvcvideo); YUYV 160x120, 320x240, 480x360, 640x480, 800x600, "
            "960x720 and 2 more; MJPG 160x120");
  FakeDriver any_size;
  any_size.stepwise = true;
  CHECK_THAT(check_cameras(dev.path(), any_size)[0].text, ContainsSubstring("YUYV 32x16 to 1920x1080; MJPG"));
}

TEST_CASE("What is no camera of its own is named together: metadata, codecs, parts of a CSI camera") {
  const TempFolder dev;
  dev.write("video2", "");
  dev.write("video10", "");
  FakeDriver metadata;
  metadata.capabilities = V4L2_CAP_META_CAPTURE;
  FakeDriver unicam;
  unicam.driver = "unicam";
  for (const auto& [driver, name] : {std::pair{metadata, "uvcvideo"}, std::pair{unicam, "unicam"}}) {
    const Checks checks = check_cameras(dev.path(), driver);
    REQUIRE(checks.size() == 1);
    CHECK(shown(checks[0]) == "ok cameras: no cameras of their own: " + std::string(name) + " ×2");
    CHECK(state(look("/dev/null", driver)) == "fail");
  }
  const TempFolder one;
  const std::string device = one.write("video1", "");
  CHECK(check_cameras(one.path(), metadata)[0].text == "no cameras of their own: uvcvideo (" + device + ")");
}

TEST_CASE("A camera that may not be asked is a warning with the command; as the source it is a failure") {
  const TempFolder dev;
  const std::string device = dev.write("video0", "");
  FakeDriver driver;
  driver.error = EACCES;
  const std::string remedy =
      " | sudo usermod -aG video " + me() + ", then log in again, or restart the service";
  CHECK(shown(check_cameras(dev.path(), driver)[0]) ==
        "warn camera " + device + ": Permission denied" + remedy);
  const Check asked = look("/dev/null", driver);
  CHECK(shown(asked) == "fail source: /dev/null: Permission denied" + remedy);
  CHECK(asked.code == ExitCode::no_source);
  driver.error = ENODEV;
  CHECK_THAT(shown(check_cameras(dev.path(), driver)[0]), ContainsSubstring("No such device | unplug it"));
}

TEST_CASE("The source that a run would open") {
  const TempFolder folder;
  CHECK(shown(look("/dev/video97")) ==
        "fail source: there is no /dev/video97 | plug one in, or name another source: --source test needs "
        "none");
  CHECK_THAT(shown(look("/dev/null")), ContainsSubstring("ok source: /dev/null, USB 2.0 Camera; not opened"));
  CHECK_THAT(shown(look("csi")), ContainsSubstring("ok source: csi: whether a camera is attached"));
  CHECK(state(look("test")) == "ok");
  CHECK_THAT(shown(look(GLIMPSE_ROOT "/tests/data/clip.mp4")),
             ContainsSubstring("ok source: " GLIMPSE_ROOT "/tests/data/clip.mp4"));
  CHECK_THROWS_AS(look(folder.path() / "gone.mp4"), Error);
  CHECK_THROWS_AS(look(folder.write("text.mp4", "no video")), Error);
  CHECK_THAT(
      shown(look("gst:videotestsrc ! nothing-like-it")),
      ContainsSubstring("fail source: GStreamer refuses the pipeline: no element \"nothing-like-it\""));
  CHECK_THAT(shown(look("gst:videotestsrc ! identity name=secret")),
             ContainsSubstring("ok source: gst: pipeline; understood, not started"));
}

TEST_CASE("libcamera is missed only by who wants csi") {
  const TempFolder root;
  CHECK(shown(check_libcamera(false, root.path())) ==
        "ok libcamera: not installed; only --source csi needs it | sudo apt install gstreamer1.0-libcamera");
  const Check missed = check_libcamera(true, root.path());
  CHECK(shown(missed) == "fail libcamera: not installed | sudo apt install gstreamer1.0-libcamera");
  CHECK(missed.code == ExitCode::no_source);
  root.write("usr/lib/aarch64-linux-gnu/libcamera.so.0.0.3", "");  // where Debian 12's libcamera0.0.3 has it
  CHECK(shown(check_libcamera(true, root.path())) ==
        "ok libcamera: /usr/lib/aarch64-linux-gnu/libcamera.so.0.0.3");
}

TEST_CASE("libcamerasrc: there, and missing") {
  const auto knows = [](bool libcamera) {
    return [libcamera](const std::string& element) {
      return element == "libcamerasrc" && libcamera ? "" : "no element \"" + element + "\"";
    };
  };
  CHECK(shown(check_libcamerasrc(true, knows(true))) == "ok libcamerasrc: GStreamer has it");
  CHECK(shown(check_libcamerasrc(true, knows(false))) ==
        "fail libcamerasrc: GStreamer's plugin for libcamera is not installed | sudo apt install "
        "gstreamer1.0-libcamera");
  CHECK(state(check_libcamerasrc(false, knows(false))) == "ok");
}
