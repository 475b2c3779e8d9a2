// From resized pixels to numbers that the network takes.
#pragma once

#include <array>
#include <cstdint>

#include "inference/model_package.hpp"
#include "inference/preprocessing/input_format.hpp"

namespace glimpse {

/// What each 8-bit value of each channel becomes: (value / 255 - mean) / std, and for an integer input what
/// torch.quantize_per_tensor makes of that.
class PixelTable {
 public:
  PixelTable(const InputSpec& spec, const InputFormat& format);

  /// Row `y` of the input that begins at `out`. `pixels`: the row's R, G, B, interleaved or as three runs of
  /// a row's width, as the format has it.
  void write_row(const std::uint8_t* pixels, int y, void* out) const;

 private:
  template <class Element>
  using Table = std::array<std::array<Element, 256>, 3>;  // by channel R, G, B and value
  template <class Element>
  void write(const std::uint8_t* pixels, const Table<Element>& table, int y, Element* out) const;

  int width_, height_;
  InputFormat format_;
  Table<float> real_{};
  Table<std::uint8_t> quantized_{};  // int8 as the byte that it is
};

}  // namespace glimpse
