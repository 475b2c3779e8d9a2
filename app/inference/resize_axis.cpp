#include "inference/resize_axis.hpp"

#include <algorithm>
#include <cmath>

namespace glimpse {
namespace {

// With 16 bits one pixel in a hundred is a step of 255 off, so it is for the frames that take long: not for
// those that hardly shrink, nor for huge ones, where too many roundings would add up.
constexpr double least_shrink_in_16_bits = 1.5, most_shrink_in_16_bits = 16;

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

void append_rounded(const std::vector<double>& weights, bool exact, std::vector<std::int32_t>& to) {
  const int bits = exact ? 22 : 15;
  std::int32_t rest = 1 << bits;
  for (const double weight : weights) {
    to.push_back(static_cast<std::int32_t>(std::lround(std::ldexp(weight, bits))));
    rest -= to.back();
  }
  // With 16 bits the sum must be 1, for pixels are taken less 128.
  if (!exact) *std::max_element(to.end() - std::ssize(weights), to.end()) += rest;
}

}  // namespace

ResizeAxis make_resize_axis(Interpolation filter, int in, int resized, int crop_begin, int out) {
  const double scale = static_cast<double>(in) / resized;
  const double stretch = std::max(scale, 1.0);
  const double support = reach(filter) * stretch;
  ResizeAxis axis;
  axis.exact =
      filter == Interpolation::bicubic || scale < least_shrink_in_16_bits || scale > most_shrink_in_16_bits;
  std::vector<double> weights;
  for (int i = 0; i < out; ++i) {
    const double centre = (crop_begin + i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int end = std::min(in, static_cast<int>(centre + support + 0.5));
    weights.clear();
    double sum = 0;
    for (int x = first; x < end; ++x) {
      weights.push_back(weight_at(filter, (x - centre + 0.5) / stretch));
      sum += weights.back();
    }
    for (double& weight : weights) weight /= sum;
    axis.windows.push_back({first, end - first, static_cast<int>(axis.weights.size())});
    append_rounded(weights, axis.exact, axis.weights);
  }
  return axis;
}

}  // namespace glimpse
