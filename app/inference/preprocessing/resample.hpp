// The two passes of a resize, in Pillow's order and with its rounding: along the rows, to 8 bit, then along
// the columns, to 8 bit again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "inference/preprocessing/resize_axis.hpp"

namespace glimpse {

/// Two bytes side by side. Between the passes a byte is value ^ 128: with a sign, value - 128.
using BytePair = std::uint16_t;

/// Rows go through the first pass together, each in a lane of its own of the vector registers: they stand in
/// columns, byte i of all of them side by side.
constexpr int rows_at_once = 16;
constexpr std::ptrdiff_t pairs_at_once = rows_at_once / 2;

/// The second pass goes along its rows in steps of so many pairs.
constexpr std::ptrdiff_t pairs_in_step = 48;

/// `columns`: bytes x pairs_at_once.
void rows_to_columns(std::array<const std::uint8_t*, rows_at_once> rows, int bytes, BytePair* columns);

/// Channel c (R, G, B) of pixel x goes to place x * pixel + c * channel.
struct Places {
  std::ptrdiff_t pixel, channel;
};

/// `columns`: B, G, R of the pixels from axis.begin() on, each pairs_at_once. `out`: 3 * outputs places of as
/// many.
void resize_along_rows(const BytePair* columns, const ResizeAxis& axis, Places places, BytePair* out);

/// `columns`: bytes x pairs_at_once. `rows`: rows_at_once of them, `pairs` apart.
void columns_to_rows(const BytePair* columns, int bytes, std::ptrdiff_t pairs, BytePair* rows);

/// Row `y` of the result, plain pixels now. `rows`: those from axis.begin() on. They and `out` are `pairs`
/// long, a multiple of pairs_in_step.
void resize_along_columns(const BytePair* rows, std::ptrdiff_t pairs, const ResizeAxis& axis, int y,
                          BytePair* out);

}  // namespace glimpse
