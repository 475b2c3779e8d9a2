// From a camera's frame to the network's input.
#pragma once

#include <array>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "inference/model_package.hpp"

namespace glimpse {

/// Resize, crop, colour order, normalisation and layout in one walk over the frame, as torchvision does them
/// on a PIL picture: an antialiased filter is as much wider as the picture shrinks, pixels are rounded to 8
/// bit before they are normalised.
class Preprocessor {
 public:
  explicit Preprocessor(const InputSpec& spec);

  /// `bgr`: 8 bit, 3 channels, any size from 1x1. `out`: 3 * height * width floats, planes R, G, B (NCHW).
  void run(const cv::Mat& bgr, float* out);

 private:
  /// Where each output pixel along one axis comes from: the weights of `taps` input pixels from `first` on.
  struct Axis {
    int taps = 0;
    std::vector<int> first;
    std::vector<float> weights;  // outputs x taps, each row sums to 1
  };
  [[nodiscard]] static Axis make_axis(Interpolation filter, int in, int resized, int crop_begin, int out);
  void plan(int rows, int cols);
  [[nodiscard]] const cv::Mat& narrow(const cv::Mat& bgr);

  InputSpec spec_;
  std::array<std::array<float, 256>, 3> normalised_{};  // by channel R, G, B and 8-bit value
  int rows_ = 0, cols_ = 0;                             // the frame size the plan is for
  Axis vertical_, horizontal_;
  int left_ = 0, right_ = 0;  // columns of the frame that the crop touches
  std::vector<float> line_;   // one output row before horizontal resizing, BGR
  Axis across_;               // bicubic alone: from the frame's columns to those of the crop
  cv::Mat narrowed_;          // bicubic alone: all rows of the frame, the crop's columns
};

}  // namespace glimpse
