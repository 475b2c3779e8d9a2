#include "capture/gstreamer.hpp"

#include <cmath>
#include <numeric>
#include <opencv2/core.hpp>

#include "capture/gstreamer_pipeline.hpp"
#include "core/error.hpp"

namespace glimpse {
namespace {

void check(const std::string& pipeline) {
  const std::string wrong = pipeline_error(pipeline);
  if (wrong.find("\"libcamerasrc\"") != std::string::npos) {
    throw Error(ExitCode::no_source,
                "libcamera's GStreamer plugin is missing: sudo apt install gstreamer1.0-libcamera");
  }
  if (!wrong.empty())
    throw Error(ExitCode::no_source, "GStreamer refuses the pipeline '" + pipeline + "': " + wrong);
}

/// "36/1", "2997/100": GStreamer's rates are fractions.
std::string fraction(double fps) {
  const auto thousandths = std::lround(fps * 1000);
  const auto common = std::gcd(thousandths, 1000L);
  return std::to_string(thousandths / common) + "/" + std::to_string(1000 / common);
}

/// By videoflip, because libcamerasrc 0.0.3 (Debian 12) has no property for it.
std::string flip_element(Flip flip) {
  switch (flip) {
    case Flip::horizontal:
      return "videoflip video-direction=horiz ! ";
    case Flip::vertical:
      return "videoflip video-direction=vert ! ";
    case Flip::half_turn:
      return "videoflip video-direction=180 ! ";
    case Flip::none:
      break;
  }
  return "";
}

}  // namespace

std::string with_appsink(const std::string& pipeline) {
  if (pipeline.find("appsink") != std::string::npos) return pipeline;
  return pipeline + " ! videoconvert ! appsink drop=true max-buffers=1";
}

/// libcamera pads rows to a multiple of 64 bytes, and plugins older than mid-2025 do not tell GStreamer:
/// other widths are skewed. So the next multiple is asked for, and what is too much on the right is cut off.
std::string csi_pipeline(const CameraOptions& asked, const std::string& element) {
  constexpr int row = 64;
  const cv::Size size = asked.size.value_or(cv::Size(640, 480));
  const int width = (size.width + row - 1) / row * row;
  return element +
         cv::format(" ! video/x-raw,format=NV12,width=%d,height=%d,framerate=", width, size.height) +
         fraction(asked.fps) + " ! queue leaky=downstream max-size-buffers=1 ! " +
         (width > size.width ? cv::format("videocrop right=%d ! ", width - size.width) : "") +
         flip_element(asked.flip) +
         "videoconvert ! video/x-raw,format=BGR ! appsink drop=true max-buffers=1 sync=false";
}

std::unique_ptr<VideoSource> open_gstreamer(const std::string& pipeline) {
  check(with_appsink(pipeline));
  try {
    return play_pipeline(with_appsink(pipeline), "gst:" + pipeline);
  } catch (const Error& error) {
    throw Error(ExitCode::no_source, std::string("the pipeline does not start: ") + error.what());
  }
}

std::unique_ptr<VideoSource> open_csi(const CameraOptions& asked, const std::string& element) {
  const std::string pipeline = csi_pipeline(asked, element);
  check(pipeline);
  try {
    return play_pipeline(pipeline, "CSI camera");
  } catch (const Error& error) {
    throw Error(ExitCode::no_source,
                std::string("no CSI camera answers, or it cannot do this --size at this --fps: ") +
                    error.what() + "; list them with: cam --list (apt install libcamera-tools)");
  }
}

}  // namespace glimpse
