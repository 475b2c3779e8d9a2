#include "capture/gstreamer.hpp"

#include <opencv2/videoio/registry.hpp>

#include "capture/gstreamer_parse.hpp"
#include "capture/live_capture.hpp"
#include "core/error.hpp"

namespace glimpse {
namespace {

cv::VideoCapture start(const std::string& pipeline) {
  if (!cv::videoio_registry::hasBackend(cv::CAP_GSTREAMER)) {
    throw Error(ExitCode::no_source,
                "this OpenCV was built without GStreamer; Debian's libopencv-videoio has it");
  }
  const std::string wrong = pipeline_error(pipeline);
  if (wrong.find("\"libcamerasrc\"") != std::string::npos) {
    throw Error(ExitCode::no_source,
                "libcamera's GStreamer plugin is missing: sudo apt install gstreamer1.0-libcamera");
  }
  if (!wrong.empty())
    throw Error(ExitCode::no_source, "GStreamer refuses the pipeline '" + pipeline + "': " + wrong);
  return try_open(pipeline, cv::CAP_GSTREAMER);
}

std::unique_ptr<VideoSource> read_pipeline(cv::VideoCapture capture, const std::string& name) {
  return read_live(std::move(capture), name);
}

}  // namespace

std::string with_appsink(const std::string& pipeline) {
  if (pipeline.find("appsink") != std::string::npos) return pipeline;
  return pipeline + " ! videoconvert ! appsink drop=true max-buffers=1";
}

/// 640 wide, because libcamera pads rows to a multiple of 64 bytes and older plugins do not tell GStreamer:
/// 224 is skewed.
std::string csi_pipeline(double fps) {
  return cv::format(
      "libcamerasrc ! video/x-raw,format=NV12,width=640,height=480,framerate=%.0f/1 ! "
      "queue leaky=downstream max-size-buffers=1 ! videoconvert ! video/x-raw,format=BGR ! "
      "appsink drop=true max-buffers=1 sync=false",
      fps);
}

std::unique_ptr<VideoSource> open_gstreamer(const std::string& pipeline) {
  cv::VideoCapture capture = start(with_appsink(pipeline));
  if (!capture.isOpened()) {
    throw Error(ExitCode::no_source, "the pipeline does not start; to see why: gst-launch-1.0 " + pipeline +
                                         " ! fakesink (apt install gstreamer1.0-tools)");
  }
  return read_pipeline(std::move(capture), "gst:" + pipeline);
}

std::unique_ptr<VideoSource> open_csi(double fps) {
  cv::VideoCapture capture = start(csi_pipeline(fps));
  if (capture.isOpened()) return read_pipeline(std::move(capture), "CSI camera");
  throw Error(ExitCode::no_source,
              "no CSI camera answers; list them with: cam --list (apt install libcamera-tools)");
}

}  // namespace glimpse
