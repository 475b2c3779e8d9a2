// Pixels that are used again: a frame costs no allocation once a source is warm.
#pragma once

#include <array>
#include <cstddef>
#include <opencv2/core/mat.hpp>

namespace glimpse {

/// At most `capacity` buffers. When all are in use, next() gives a fresh one that is not kept.
class FramePool {
 public:
  /// All that can be on its way at once: the frame being read, those of a file that wait in the pipeline's
  /// mailbox, one for each slot behind it, and what a FrameTap holds (pipeline.cpp holds itself to that).
  static constexpr std::size_t capacity = 9;

  /// A buffer that nobody else holds, to be written into by a function that allocates only where size or type
  /// differ (as cv::Mat::create does), then copied as a cv::Mat: the pixels are left alone for as long as any
  /// such copy lives, in whatever thread. The reference is good until the next call; calls come from one
  /// thread at a time.
  [[nodiscard]] cv::Mat& next();

 private:
  std::array<cv::Mat, capacity> buffers_;
  cv::Mat fresh_;
};

}  // namespace glimpse
