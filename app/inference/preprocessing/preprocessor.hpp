// From a camera's frame to the network's input.
#pragma once

#include <opencv2/core/mat.hpp>
#include <vector>

#include "inference/model_package.hpp"
#include "inference/preprocessing/input_format.hpp"
#include "inference/preprocessing/pixel_table.hpp"
#include "inference/preprocessing/resample.hpp"
#include "inference/preprocessing/resize_axis.hpp"

namespace glimpse {

/// Resize, crop, colour order, normalisation, layout and quantization in one go, as torchvision does them on
/// a PIL picture. The pixels are torchvision's; only where bilinear shrinks a frame 1.5 to 16 times, which
/// has to be fast, about one in a hundred is a step of 255 off.
class Preprocessor {
 public:
  explicit Preprocessor(const InputSpec& spec, const InputFormat& format = {});

  /// `bgr`: 8 bit, 3 channels, any size from 1x1. `out`: 3 * height * width elements of the format. Memory is
  /// allocated only for a frame of another size than the last one's.
  void run(const cv::Mat& bgr, void* out);

 private:
  void plan(int rows, int cols);

  InputSpec spec_;
  InputFormat format_;
  PixelTable table_;
  int rows_ = 0, cols_ = 0;  // the frame size the plan is for
  ResizeAxis horizontal_, vertical_;
  std::ptrdiff_t pairs_ = 0;       // in a row of narrow_
  std::vector<BytePair> columns_;  // some rows of the frame, standing
  std::vector<BytePair> resized_;  // those, as wide as the crop
  std::vector<BytePair> narrow_;   // all rows that the crop touches, as wide as the crop
  std::vector<BytePair> line_;     // one row of the result
};

}  // namespace glimpse
