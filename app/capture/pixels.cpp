#include "capture/pixels.hpp"

#include <opencv2/imgproc.hpp>

namespace glimpse {

cv::Mat to_bgr(const cv::Mat& image) {
  if (image.empty() || image.dims != 2) return {};
  cv::Mat bytes = image;
  if (image.depth() == CV_16U) {
    image.convertTo(bytes, CV_8U, 1.0 / 257);  // 65535 becomes 255
  } else if (image.depth() != CV_8U) {
    return {};
  }
  cv::Mat bgr;
  switch (bytes.channels()) {
    case 1:
      cv::cvtColor(bytes, bgr, cv::COLOR_GRAY2BGR);
      return bgr;
    case 3:
      return bytes;
    case 4:
      cv::cvtColor(bytes, bgr, cv::COLOR_BGRA2BGR);
      return bgr;
    default:
      return {};
  }
}

}  // namespace glimpse
