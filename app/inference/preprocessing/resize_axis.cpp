#include "inference/preprocessing/resize_axis.hpp"

#include <algorithm>
#include <cmath>

namespace glimpse {
namespace {

// With 16 bits one pixel in a hundred comes out a step of 255 off. So they are for those frames alone that
// take long: not for one that hardly shrinks, nor for a huge one, where too many cut products would add up,
// nor for bicubic, whose sums leave the range.
constexpr double least_fast_scale = 1.5, most_fast_scale = 16;

// How far a filter reaches, and its weight at a distance, both in output pixels where the picture shrinks, in
// input pixels where it grows.
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

int nearest(double value) {
  return static_cast<int>(std::floor(value + 0.5));
}

}  // namespace

ResizeAxis make_resize_axis(Interpolation filter, int in, int resized, int crop_begin, int out) {
  const double scale = static_cast<double>(in) / resized;
  const double stretch = std::max(scale, 1.0);
  const double support = reach(filter) * stretch;
  ResizeAxis axis;
  axis.exact = filter == Interpolation::bicubic || scale < least_fast_scale || scale > most_fast_scale;
  const int one = 1 << (axis.exact ? ResizeAxis::exact_bits : ResizeAxis::fast_bits);
  std::vector<double> weights;
  for (int i = 0; i < out; ++i) {
    const double centre = (crop_begin + i + 0.5) * scale;
    const int first = std::max(0, nearest(centre - support));
    const int end = std::min(in, nearest(centre + support));
    weights.clear();
    double sum = 0;
    for (int x = first; x < end; ++x) {
      weights.push_back(weight_at(filter, (x - centre + 0.5) / stretch));
      sum += weights.back();
    }
    axis.windows.push_back({first, end - first, static_cast<int>(axis.weights.size())});
    for (const double weight : weights) {
      axis.weights.push_back(static_cast<std::int32_t>(std::lround(weight / sum * one)));
    }
  }
  return axis;
}

}  // namespace glimpse
