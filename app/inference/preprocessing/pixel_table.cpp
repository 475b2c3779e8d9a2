#include "inference/preprocessing/pixel_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace glimpse {
namespace {

/// As LibTorch does it: times the inverse of the scale, halves to even, the zero point added after rounding.
std::uint8_t quantize(float value, const InputFormat& format) {
  const bool has_sign = format.element == InputFormat::Element::int8;
  const float q = std::nearbyint(value * (1.0f / format.scale)) + static_cast<float>(format.zero_point);
  return static_cast<std::uint8_t>(
      static_cast<int>(std::clamp(q, has_sign ? -128.0f : 0.0f, has_sign ? 127.0f : 255.0f)));
}

}  // namespace

PixelTable::PixelTable(const InputSpec& spec, const InputFormat& format)
    : width_(spec.width), height_(spec.height), format_(format) {
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t value = 0; value < 256; ++value) {
      const float real = (static_cast<float>(value) / 255.0f - spec.mean[channel]) / spec.std[channel];
      real_[channel][value] = real;
      quantized_[channel][value] = quantize(real, format);
    }
  }
}

template <class Element>
void PixelTable::write(const std::uint8_t* pixels, const Table<Element>& table, int y, Element* out) const {
  const int width = width_;  // for all the compiler knows, a byte written could change the member
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(width) * y;
  if (format_.layout == InputFormat::Layout::planes) {
    const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(width) * height_;
    for (const auto& values : table) {
#pragma GCC unroll 8
      for (int x = 0; x < width; ++x) out[row + x] = values[pixels[x]];
      pixels += width;
      out += plane;
    }
  } else {
    Element* to = out + 3 * row;
    for (int x = 0; x < width; ++x) {
      for (const auto& values : table) *to++ = values[*pixels++];
    }
  }
}

void PixelTable::write_row(const std::uint8_t* pixels, int y, void* out) const {
  if (format_.element == InputFormat::Element::float32) {
    write(pixels, real_, y, static_cast<float*>(out));
  } else {
    write(pixels, quantized_, y, static_cast<std::uint8_t*>(out));
  }
}

}  // namespace glimpse
