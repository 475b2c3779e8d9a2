#include "capture/gstreamer_picture.hpp"

#include <optional>

namespace glimpse {
namespace {

std::optional<int> type_of(GstVideoFormat format) {
  switch (format) {
    case GST_VIDEO_FORMAT_BGR:
      return CV_8UC3;
    case GST_VIDEO_FORMAT_BGRx:
    case GST_VIDEO_FORMAT_BGRA:
      return CV_8UC4;
    case GST_VIDEO_FORMAT_GRAY8:
      return CV_8UC1;
    case GST_VIDEO_FORMAT_GRAY16_LE:
      return CV_16UC1;
    default:
      return {};
  }
}

}  // namespace

GstreamerPicture::GstreamerPicture(GstSample* sample) {
  GstCaps* caps = gst_sample_get_caps(sample);
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  is_mapped_ = caps != nullptr && buffer != nullptr && gst_video_info_from_caps(&info_, caps) != FALSE &&
               gst_video_frame_map(&frame_, &info_, buffer, GST_MAP_READ) != FALSE;
}

GstreamerPicture::~GstreamerPicture() {
  if (is_mapped_) gst_video_frame_unmap(&frame_);
}

cv::Mat GstreamerPicture::image() const {
  const auto type = is_mapped_ ? type_of(GST_VIDEO_FRAME_FORMAT(&frame_)) : std::nullopt;
  if (!type) return {};
  return {GST_VIDEO_FRAME_HEIGHT(&frame_), GST_VIDEO_FRAME_WIDTH(&frame_), *type,
          GST_VIDEO_FRAME_PLANE_DATA(&frame_, 0),
          static_cast<std::size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, 0))};
}

double GstreamerPicture::fps() const {
  return static_cast<double>(GST_VIDEO_INFO_FPS_N(&info_)) / GST_VIDEO_INFO_FPS_D(&info_);
}

}  // namespace glimpse
