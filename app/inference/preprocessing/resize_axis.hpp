// The weights of a resize along one side of a picture.
#pragma once

#include <cstdint>
#include <vector>

#include "inference/model_package.hpp"

namespace glimpse {

struct ResizeAxis {
  /// One output pixel: the weighted sum of `taps` input pixels from `first` on.
  struct Window {
    int first = 0, taps = 0;
    int weights = 0;  // where its own begin among all
  };
  std::vector<Window> windows;        // by output; neither end ever falls
  std::vector<std::int32_t> weights;  // 1 is 2^exact_bits; or 2^fast_bits, and all are less
  bool exact = true;                  // in Pillow's 32-bit arithmetic, not in 16 bits
  static constexpr int exact_bits = 22, fast_bits = 15;

  /// The outputs are made of the input pixels from begin() to before end().
  [[nodiscard]] int begin() const { return windows.front().first; }
  [[nodiscard]] int end() const { return windows.back().first + windows.back().taps; }
};

/// From `in` pixels to `resized`, of which `out` are kept from `crop_begin` on: the antialiased filters of
/// Pillow's ImagingResample (src/libImaging/Resample.c), as much wider as the picture shrinks.
[[nodiscard]] ResizeAxis make_resize_axis(Interpolation filter, int in, int resized, int crop_begin, int out);

}  // namespace glimpse
