#include "capture/camera.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "capture/live_capture.hpp"
#include "core/error.hpp"

namespace glimpse {
namespace {

const cv::Size default_size{224, 224};  // what the networks take

/// OpenCV only says that it could not open a camera; this says why.
void check_device(const std::string& device) {
  struct stat about {};
  if (stat(device.c_str(), &about) != 0) {
    throw Error(ExitCode::no_source, "no camera " + device + describe_cameras());
  }
  if (!S_ISCHR(about.st_mode))
    throw Error(ExitCode::no_source, device + " is not a camera" + describe_cameras());
  const int descriptor = open(device.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (descriptor >= 0) {
    close(descriptor);
    return;
  }
  const int error = errno;
  if (error == EACCES || error == EPERM) {
    throw Error(ExitCode::no_source,
                device + ": permission denied; run: sudo usermod -aG video $USER, then log in again");
  }
  throw Error(ExitCode::no_source, device + ": " + std::strerror(error));
}

}  // namespace

std::string describe_cameras(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with("video")) found.push_back(entry->path().string());
  }
  if (found.empty()) return "; there is no " + folder + "/video* at all: is a camera plugged in?";
  std::sort(found.begin(), found.end());
  std::string text = "; there is ";
  for (const std::string& path : found) text += (path == found.front() ? "" : ", ") + path;
  return text;
}

std::unique_ptr<VideoSource> open_camera(const std::string& device, const CameraOptions& asked) {
  check_device(device);
  cv::VideoCapture capture = try_open(device, cv::CAP_V4L2);
  if (!capture.isOpened()) {
    throw Error(ExitCode::no_source,
                device + ": gives no pictures (in use by another program, or not a capture device)" +
                    describe_cameras());
  }
  const auto ask = [&](int property, double value) {
    try {
      capture.set(property, value);
    } catch (const cv::Exception&) {  // it keeps what it has, and the description says what that is
    }
  };
  const cv::Size size = asked.size.value_or(default_size);
  ask(cv::CAP_PROP_FRAME_WIDTH, size.width);
  ask(cv::CAP_PROP_FRAME_HEIGHT, size.height);
  ask(cv::CAP_PROP_FPS, asked.fps);
  SourceInfo info;
  info.live = true;
  info.fps = std::max(0.0, capture.get(cv::CAP_PROP_FPS));
  info.description =
      device + cv::format(", %.0fx%.0f at %g fps (asked for %dx%d at %g)",
                          capture.get(cv::CAP_PROP_FRAME_WIDTH), capture.get(cv::CAP_PROP_FRAME_HEIGHT),
                          info.fps, size.width, size.height, asked.fps);
  return read_live(std::move(capture), std::move(info), asked.flip);
}

}  // namespace glimpse
