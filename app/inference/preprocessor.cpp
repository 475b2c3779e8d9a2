#include "inference/preprocessor.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace glimpse {

Preprocessor::Preprocessor(const InputSpec& spec) : spec_(spec) {
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t value = 0; value < 256; ++value) {
      normalised_[channel][value] =
          (static_cast<float>(value) / 255.0f - spec.mean[channel]) / spec.std[channel];
    }
  }
}

// The weights of Pillow's ImagingResample (src/libImaging/Resample.c, "bilinear"): a triangle of half-width
// max(scale, 1) around the output pixel's centre.
Preprocessor::Axis Preprocessor::make_axis(int in, int resized, int crop_begin, int out) {
  const double scale = static_cast<double>(in) / resized;
  const double support = std::max(scale, 1.0);
  Axis axis;
  axis.taps = std::min(in, static_cast<int>(std::ceil(support)) * 2 + 1);
  axis.first.resize(static_cast<std::size_t>(out));
  axis.weights.assign(static_cast<std::size_t>(out) * static_cast<std::size_t>(axis.taps), 0.0f);
  for (int i = 0; i < out; ++i) {
    const double centre = (crop_begin + i + 0.5) * scale;
    const int begin = std::max(0, static_cast<int>(centre - support + 0.5));
    const int end = std::min(in, static_cast<int>(centre + support + 0.5));
    const int first =
        std::min(begin, in - axis.taps);  // every row has room for all taps; the spare ones weigh 0
    axis.first[static_cast<std::size_t>(i)] = first;
    float* row = axis.weights.data() + static_cast<std::ptrdiff_t>(i) * axis.taps;
    double sum = 0;
    for (int x = begin; x < end; ++x) sum += std::max(0.0, 1.0 - std::abs((x - centre + 0.5) / support));
    for (int x = begin; x < end; ++x) {
      row[x - first] = static_cast<float>(std::max(0.0, 1.0 - std::abs((x - centre + 0.5) / support)) / sum);
    }
  }
  return axis;
}

void Preprocessor::plan(int rows, int cols) {
  const int shorter = std::min(rows, cols);
  const auto resized = [&](int side) {  // torchvision truncates the longer side
    return side == shorter ? spec_.resize
                           : static_cast<int>(static_cast<double>(spec_.resize) * side / shorter);
  };
  const auto crop_begin = [](int side, int crop) {
    return static_cast<int>(std::nearbyint((side - crop) / 2.0));
  };
  const int tall = resized(rows), wide = resized(cols);
  vertical_ = make_axis(rows, tall, crop_begin(tall, spec_.height), spec_.height);
  horizontal_ = make_axis(cols, wide, crop_begin(wide, spec_.width), spec_.width);
  left_ = horizontal_.first.front();
  right_ = horizontal_.first.back() + horizontal_.taps;
  for (int& first : horizontal_.first) first -= left_;
  line_.resize(static_cast<std::size_t>(right_ - left_) * 3);
  rows_ = rows;
  cols_ = cols;
}

void Preprocessor::run(const cv::Mat& bgr, float* out) {
  if (bgr.type() != CV_8UC3 || bgr.empty()) throw std::invalid_argument("a frame must be 8-bit BGR");
  if (bgr.rows != rows_ || bgr.cols != cols_) plan(bgr.rows, bgr.cols);

  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(spec_.width) * spec_.height;
  const std::size_t values = line_.size();
  for (int y = 0; y < spec_.height; ++y) {
    float* const line = line_.data();
    const float* const weights = vertical_.weights.data() + static_cast<std::ptrdiff_t>(y) * vertical_.taps;
    std::fill(line_.begin(), line_.end(), 0.0f);
    for (int tap = 0; tap < vertical_.taps; ++tap) {
      const float weight = weights[tap];
      if (weight == 0.0f) continue;
      const std::uint8_t* const row = bgr.ptr(vertical_.first[static_cast<std::size_t>(y)] + tap) + left_ * 3;
      for (std::size_t i = 0; i < values; ++i) line[i] += weight * static_cast<float>(row[i]);
    }
    for (int x = 0; x < spec_.width; ++x) {
      const float* const pixel = line + horizontal_.first[static_cast<std::size_t>(x)] * 3;
      const float* const across =
          horizontal_.weights.data() + static_cast<std::ptrdiff_t>(x) * horizontal_.taps;
      float blue = 0.5f, green = 0.5f, red = 0.5f;  // rounding, done by the cut to 8 bit below
      for (int tap = 0; tap < horizontal_.taps; ++tap) {
        blue += across[tap] * pixel[tap * 3];
        green += across[tap] * pixel[tap * 3 + 1];
        red += across[tap] * pixel[tap * 3 + 2];
      }
      const auto byte = [](float value) { return static_cast<std::size_t>(std::min(value, 255.0f)); };
      float* const at = out + static_cast<std::ptrdiff_t>(y) * spec_.width + x;
      at[0] = normalised_[0][byte(red)];
      at[plane] = normalised_[1][byte(green)];
      at[2 * plane] = normalised_[2][byte(blue)];
    }
  }
}

}  // namespace glimpse
