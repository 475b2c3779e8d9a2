#include "inference/preprocessor.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace glimpse {
namespace {

/// A byte from a sum that began at 0.5: cut, not rounded. Bicubic overshoots on both sides.
std::size_t to_byte(float value) {
  return static_cast<std::size_t>(std::clamp(value, 0.0f, 255.0f));
}

// The filters of Pillow's ImagingResample (src/libImaging/Resample.c): how far each reaches, and its weight
// at a distance, both in output pixels where the picture shrinks, in input pixels where it grows.
double reach(Interpolation filter) {
  return filter == Interpolation::bicubic ? 2 : 1;
}

double weight_at(Interpolation filter, double distance) {
  const double x = std::abs(distance);
  if (filter == Interpolation::bilinear) return std::max(0.0, 1 - x);
  constexpr double a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

}  // namespace

Preprocessor::Preprocessor(const InputSpec& spec) : spec_(spec) {
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t value = 0; value < 256; ++value) {
      normalised_[channel][value] =
          (static_cast<float>(value) / 255.0f - spec.mean[channel]) / spec.std[channel];
    }
  }
}

Preprocessor::Axis Preprocessor::make_axis(Interpolation filter, int in, int resized, int crop_begin,
                                           int out) {
  const double scale = static_cast<double>(in) / resized;
  const double stretch = std::max(scale, 1.0);
  const double support = reach(filter) * stretch;
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
    const auto weight = [&](int x) { return weight_at(filter, (x - centre + 0.5) / stretch); };
    double sum = 0;
    for (int x = begin; x < end; ++x) sum += weight(x);
    for (int x = begin; x < end; ++x) row[x - first] = static_cast<float>(weight(x) / sum);
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
  const Interpolation filter = spec_.interpolation;
  vertical_ = make_axis(filter, rows, tall, crop_begin(tall, spec_.height), spec_.height);
  horizontal_ = make_axis(filter, cols, wide, crop_begin(wide, spec_.width), spec_.width);
  if (filter == Interpolation::bicubic) {  // narrow() does the columns; the walk takes them as they are
    across_ = std::exchange(horizontal_, make_axis(filter, spec_.width, spec_.width, 0, spec_.width));
    narrowed_.create(rows, spec_.width, CV_8UC3);
  }
  left_ = horizontal_.first.front();
  right_ = horizontal_.first.back() + horizontal_.taps;
  for (int& first : horizontal_.first) first -= left_;
  line_.resize(static_cast<std::size_t>(right_ - left_) * 3);
  rows_ = rows;
  cols_ = cols;
}

// Pillow resizes the columns first and cuts what overshoots to 0..255 before it goes on to the rows. Bilinear
// never overshoots, so there the order is free; bicubic needs Pillow's.
const cv::Mat& Preprocessor::narrow(const cv::Mat& bgr) {
  if (spec_.interpolation == Interpolation::bilinear) return bgr;
  const int top = vertical_.first.front(), bottom = vertical_.first.back() + vertical_.taps;
  for (int y = top; y < bottom; ++y) {
    std::uint8_t* out = narrowed_.ptr(y);
    for (int x = 0; x < spec_.width; ++x) {
      const std::uint8_t* const pixel =
          bgr.ptr(y) + std::ptrdiff_t{3} * across_.first[static_cast<std::size_t>(x)];
      const float* const weights = across_.weights.data() + static_cast<std::ptrdiff_t>(x) * across_.taps;
      for (int channel = 0; channel < 3; ++channel) {
        float sum = 0.5f;
        for (int tap = 0; tap < across_.taps; ++tap) {
          sum += weights[tap] * static_cast<float>(pixel[tap * 3 + channel]);
        }
        *out++ = static_cast<std::uint8_t>(to_byte(sum));
      }
    }
  }
  return narrowed_;
}

void Preprocessor::run(const cv::Mat& bgr, float* out) {
  if (bgr.type() != CV_8UC3 || bgr.empty()) throw std::invalid_argument("a frame must be 8-bit BGR");
  if (bgr.rows != rows_ || bgr.cols != cols_) plan(bgr.rows, bgr.cols);
  const cv::Mat& frame = narrow(bgr);

  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(spec_.width) * spec_.height;
  const std::size_t values = line_.size();
  for (int y = 0; y < spec_.height; ++y) {
    float* const line = line_.data();
    const float* const weights = vertical_.weights.data() + static_cast<std::ptrdiff_t>(y) * vertical_.taps;
    std::fill(line_.begin(), line_.end(), 0.0f);
    for (int tap = 0; tap < vertical_.taps; ++tap) {
      const float weight = weights[tap];
      if (weight == 0.0f) continue;
      const std::uint8_t* const row =
          frame.ptr(vertical_.first[static_cast<std::size_t>(y)] + tap) + left_ * 3;
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
      float* const at = out + static_cast<std::ptrdiff_t>(y) * spec_.width + x;
      at[0] = normalised_[0][to_byte(red)];
      at[plane] = normalised_[1][to_byte(green)];
      at[2 * plane] = normalised_[2][to_byte(blue)];
    }
  }
}

}  // namespace glimpse
