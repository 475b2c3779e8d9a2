#include "inference/preprocessing/resample.hpp"

#include <algorithm>
#include <cstring>

// All loops here are made for the compiler to vectorise. On x86-64 each function exists twice, the second
// time for processors with AVX2; the loader takes the one that fits. It asks for that before a sanitizer is
// ready to answer, so those builds go without.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GLIMPSE_ALSO_FOR_AVX2 [[gnu::target_clones("avx2", "default")]]
#else
#define GLIMPSE_ALSO_FOR_AVX2
#endif

namespace glimpse {
namespace {

/// `count` pairs of bytes, each byte the weighted sum of those at its place in `taps` rows, `stride` pairs
/// apart. In Pillow's own arithmetic.
template <int count>
[[gnu::always_inline]] inline void weigh_exactly(const BytePair* in, std::ptrdiff_t stride,
                                                 const std::int32_t* weights, int taps, BytePair* out) {
  std::int32_t sums[2 * count];
  for (std::int32_t& sum : sums) sum = 1 << (ResizeAxis::exact_bits - 1);
  for (int tap = 0; tap < taps; ++tap) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(in + tap * stride);
    for (int i = 0; i < 2 * count; ++i) sums[i] += weights[tap] * (bytes[i] ^ 128);
  }
  auto* const bytes = reinterpret_cast<std::uint8_t*>(out);
  for (int i = 0; i < 2 * count; ++i) {  // bicubic overshoots on both sides
    const int value = std::clamp(sums[i] >> ResizeAxis::exact_bits, 0, 255);
    bytes[i] = static_cast<std::uint8_t>(value ^ 128);
  }
}

/// The upper half of a product: one instruction for eight lanes on any x86-64, three on arm64.
[[gnu::always_inline]] inline std::int16_t multiply(int a, int b) {
  return static_cast<std::int16_t>((static_cast<std::int16_t>(a) * static_cast<std::int16_t>(b)) >> 16);
}

/// The same in 16 bits, of which 7 are after the point. The bytes of a pair are summed apart, each in the
/// upper half of its 16 bits, so that nothing has to be unpacked or packed. Products are cut, not rounded;
/// half a unit for each makes the sum right on average.
template <int count>
[[gnu::always_inline]] inline void weigh_fast(const BytePair* in, std::ptrdiff_t stride,
                                              const std::int32_t* weights, int taps, BytePair* out) {
  constexpr int bits = ResizeAxis::fast_bits - 8;
  const auto start = static_cast<std::int16_t>((1 << (bits - 1)) + taps / 2);
  std::int16_t low[count], high[count];
  for (int i = 0; i < count; ++i) low[i] = high[i] = start;
  for (int tap = 0; tap < taps; ++tap) {
    const BytePair* const pairs = in + tap * stride;
    const auto weight = static_cast<std::int16_t>(weights[tap]);
    for (int i = 0; i < count; ++i) {
      low[i] = static_cast<std::int16_t>(low[i] + multiply(pairs[i] << 8, weight));
      high[i] = static_cast<std::int16_t>(high[i] + multiply(pairs[i] & 0xff00, weight));
    }
  }
  for (int i = 0; i < count; ++i) {
    out[i] = static_cast<BytePair>(((low[i] >> bits) & 0xff) | ((high[i] >> bits) << 8));
  }
}

template <int count>
[[gnu::always_inline]] inline void weigh(bool exact, const BytePair* in, std::ptrdiff_t stride,
                                         const std::int32_t* weights, int taps, BytePair* out) {
  if (exact) return weigh_exactly<count>(in, stride, weights, taps, out);
  weigh_fast<count>(in, stride, weights, taps, out);
}

}  // namespace

GLIMPSE_ALSO_FOR_AVX2
void rows_to_columns(std::array<const std::uint8_t*, rows_at_once> rows, int bytes, BytePair* columns) {
  auto* const out = reinterpret_cast<std::uint8_t*>(columns);
#pragma GCC ivdep  // NOLINT(clang-diagnostic-unknown-pragmas): g++ knows it
  for (int i = 0; i < bytes; ++i) {
    for (int row = 0; row < rows_at_once; ++row) out[i * rows_at_once + row] = rows[row][i] ^ 128;
  }
}

GLIMPSE_ALSO_FOR_AVX2
void resize_along_rows(const BytePair* columns, const ResizeAxis& axis, Places places, BytePair* out) {
  constexpr std::ptrdiff_t place = pairs_at_once, pixel = 3 * place;
  const bool exact = axis.exact;  // copied: for all the compiler knows, what is written could be the axis
  const int begin = axis.begin();
  const std::int32_t* const weights = axis.weights.data();
  for (const ResizeAxis::Window& window : axis.windows) {
    BytePair bgr[pixel];
    weigh<pixel>(exact, columns + (window.first - begin) * pixel, pixel, weights + window.weights,
                 window.taps, bgr);
    for (std::ptrdiff_t channel = 0; channel < 3; ++channel) {
      std::memcpy(out + channel * places.channel * place, bgr + (2 - channel) * place, rows_at_once);
    }
    out += places.pixel * place;
  }
}

GLIMPSE_ALSO_FOR_AVX2
void columns_to_rows(const BytePair* columns, int bytes, std::ptrdiff_t pairs, BytePair* rows) {
  const auto* const in = reinterpret_cast<const std::uint8_t*>(columns);
  auto* const out = reinterpret_cast<std::uint8_t*>(rows);
  const std::ptrdiff_t stride = 2 * pairs;
#pragma GCC ivdep  // NOLINT(clang-diagnostic-unknown-pragmas): g++ knows it
  for (int i = 0; i < bytes; ++i) {
    for (int row = 0; row < rows_at_once; ++row) out[row * stride + i] = in[i * rows_at_once + row];
  }
}

GLIMPSE_ALSO_FOR_AVX2
void resize_along_columns(const BytePair* rows, std::ptrdiff_t pairs, const ResizeAxis& axis, int y,
                          BytePair* out) {
  const ResizeAxis::Window window = axis.windows[static_cast<std::size_t>(y)];
  const bool exact = axis.exact;
  const std::int32_t* const weights = axis.weights.data() + window.weights;
  rows += (window.first - axis.begin()) * pairs;
  for (std::ptrdiff_t at = 0; at < pairs; at += pairs_in_step) {
    weigh<pairs_in_step>(exact, rows + at, pairs, weights, window.taps, out + at);
    for (int i = 0; i < pairs_in_step; ++i) out[at + i] ^= 0x8080;
  }
}

}  // namespace glimpse
