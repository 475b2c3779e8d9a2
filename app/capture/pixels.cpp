#include "capture/pixels.hpp"

#include <opencv2/imgproc.hpp>
#include <utility>

namespace glimpse {

// `image` holds its buffer to the end: the pool gives another one for what becomes of it.
cv::Mat to_bgr(cv::Mat image, FramePool& pool) {
  if (image.empty() || image.dims != 2) return {};
  if (image.depth() == CV_16U) {
    cv::Mat& bytes = pool.next();
    image.convertTo(bytes, CV_8U, 1.0 / 257);  // 65535 becomes 255
    return to_bgr(bytes, pool);
  }
  const int channels = image.channels();
  if (image.depth() != CV_8U || (channels != 1 && channels != 3 && channels != 4)) return {};
  if (channels == 3) return image;
  cv::Mat& bgr = pool.next();
  cv::cvtColor(image, bgr, channels == 1 ? cv::COLOR_GRAY2BGR : cv::COLOR_BGRA2BGR);
  return bgr;
}

cv::Mat to_bgr(cv::Mat image) {
  FramePool pool;
  return to_bgr(std::move(image), pool);
}

}  // namespace glimpse
