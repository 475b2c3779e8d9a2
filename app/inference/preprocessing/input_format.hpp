// How a backend wants the network's input to lie in memory.
#pragma once

#include <cstddef>

namespace glimpse {

struct InputFormat {
  enum class Layout { planes, interleaved };  // NCHW, NHWC; the channels are R, G, B in both
  enum class Element { float32, uint8, int8 };

  Layout layout = Layout::planes;
  Element element = Element::float32;
  float scale = 1;     // of uint8 and int8, more than 0: real = scale * (q - zero_point)
  int zero_point = 0;  // of uint8 and int8

  [[nodiscard]] constexpr std::size_t element_bytes() const { return element == Element::float32 ? 4 : 1; }
};

}  // namespace glimpse
