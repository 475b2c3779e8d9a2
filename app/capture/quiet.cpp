#include "capture/quiet.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <opencv2/core/utils/logger.hpp>

namespace glimpse {
namespace {

void ignore_glib(const char*, int, const char*, void*) {}

/// GStreamer's warnings go through GLib, which has no setting for them in the environment. OpenCV brings GLib
/// along where it was built with GStreamer: found by name, so that this program needs neither to build.
void quiet_glib() {
  using SetHandler = void* (*)(void (*)(const char*, int, const char*, void*), void*);
  if (void* found = dlsym(RTLD_DEFAULT, "g_log_set_default_handler")) {
    reinterpret_cast<SetHandler>(found)(ignore_glib, nullptr);
  }
}

}  // namespace

void quiet_libraries() {
  static std::once_flag once;
  std::call_once(once, [] {
    setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);                         // AV_LOG_QUIET
    setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp", 0);  // UDP loses packets, so pictures tear
    setenv("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "4", 0);  // s; 10 would outlast LiveSource's patience
    if (std::getenv("OPENCV_LOG_LEVEL") == nullptr) {
      cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    }
    quiet_glib();
  });
}

}  // namespace glimpse
