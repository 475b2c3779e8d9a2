// The two passes of a resize, in the order and with the rounding of Pillow: along the rows, to 8 bit, then
// along the columns, to 8 bit again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "inference/resize_axis.hpp"

namespace glimpse {

/// Two bytes side by side. Between the passes a byte is value ^ 128, which is value - 128 with a sign.
using BytePair = std::uint16_t;

/// Rows go along the first pass together, one in each lane of a vector register: they stand in columns, byte
/// i of all of them side by side.
constexpr int rows_at_once = 16;
constexpr int pairs_at_once = rows_at_once / 2;

/// The second pass works on so many pairs at once; its rows are a multiple of that long.
constexpr int pairs_in_step = 48;

/// `columns`: bytes x pairs_at_once.
void rows_to_columns(const std::array<const std::uint8_t*, rows_at_once>& rows, int bytes, BytePair* columns);

/// Where channel c (R, G, B) of pixel x stands after the first pass: x * pixel + c * channel.
struct Steps {
  int pixel, channel;
};

/// `columns`: B, G, R of the pixels from axis.begin() on. `out`: 3 * outputs x pairs_at_once.
void resize_along_rows(const BytePair* columns, const ResizeAxis& axis, Steps steps, BytePair* out);

/// `columns`: bytes x pairs_at_once. `rows`: rows_at_once of them, `stride` bytes apart.
void columns_to_rows(const BytePair* columns, int bytes, BytePair* rows, std::ptrdiff_t stride);

/// Output row `y`, as plain pixels. `rows`: from axis.begin() on, each `pairs` long, which is a multiple of
/// pairs_in_step, as is `out`.
void resize_along_columns(const BytePair* rows, std::ptrdiff_t pairs, const ResizeAxis& axis, int y,
                          BytePair* out);

}  // namespace glimpse
