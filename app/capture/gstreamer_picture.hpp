// The pixels in a sample of GStreamer's appsink.
#pragma once

#include <gst/video/video.h>

#include <opencv2/core/mat.hpp>

namespace glimpse {

/// Keeps the sample's pixels readable where GStreamer has them; nothing is copied. `sample` outlives it.
class GstreamerPicture {
 public:
  explicit GstreamerPicture(GstSample* sample);
  ~GstreamerPicture();
  GstreamerPicture(const GstreamerPicture&) = delete;
  GstreamerPicture& operator=(const GstreamerPicture&) = delete;

  /// Good for as long as this lives; empty where it is of none of the `formats`.
  [[nodiscard]] cv::Mat image() const;
  /// The stream's nominal rate; 0 where it varies.
  [[nodiscard]] double fps() const;

  /// What can be read, as caps. The first is what videoconvert makes where it has the choice.
  static constexpr const char* formats =
      "video/x-raw,format=BGR; video/x-raw,format=(string){BGRx,BGRA,GRAY8,GRAY16_LE}";

 private:
  GstVideoInfo info_{};
  GstVideoFrame frame_{};
  bool is_mapped_ = false;
};

}  // namespace glimpse
