#include "capture/quiet.hpp"

#include <cstdlib>
#include <mutex>
#include <opencv2/core/utils/logger.hpp>

#include "capture/gstreamer_pipeline.hpp"

namespace glimpse {

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
