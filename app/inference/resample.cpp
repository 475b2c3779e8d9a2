#include "inference/resample.hpp"

#include <algorithm>
#include <cstring>

// A second copy of a function for processors with AVX2; the loader takes the one that fits. It asks before a
// sanitizer is ready to answer, so those builds go without.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GLIMPSE_ALSO_FOR_AVX2 [[gnu::target_clones("avx2", "default")]]
#else
#define GLIMPSE_ALSO_FOR_AVX2
#endif

namespace glimpse {
namespace {

/// `count` pairs of bytes, each the weighted sum of those at its place in `taps` rows, `stride` pairs apart.
/// Pillow's own arithmetic.
template <int count>
[[gnu::always_inline]] inline void weigh_exactly(const BytePair* in, std::ptrdiff_t stride,
                                                 const std::int32_t* weights, int taps, BytePair* out) {
  std::int32_t sums[2 * count];
  for (std::int32_t& sum : sums) sum = 1 << 21;
  for (int tap = 0; tap < taps; ++tap) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(in + tap * stride);
    for (int i = 0; i < 2 * count; ++i) sums[i] += weights[tap] * (bytes[i] ^ 128);
  }
  auto* const bytes = reinterpret_cast<std::uint8_t*>(out);
  for (int i = 0; i < 2 * count; ++i) {  // bicubic overshoots on both sides
    bytes[i] = static_cast<std::uint8_t>(std::clamp(sums[i] >> 22, 0, 255) ^ 128);
  }
}

/// The upper half of a product: one instruction for eight lanes on every x86-64 and few on arm64.
[[gnu::always_inline]] inline std::int16_t multiply(std::int16_t a, std::int16_t b) {
  return static_cast<std::int16_t>((a * b) >> 16);
}

/// The same, all in 16 bits: the bytes of a pair are summed apart, each in the upper half of its 16 bits, so
/// that nothing has to be unpacked or packed. Sums have 7 bits after the point. Products are cut, not
/// rounded: half a unit for each makes the sum right on average.
template <int count>
[[gnu::always_inline]] inline void weigh_fast(const BytePair* in, std::ptrdiff_t stride,
                                              const std::int32_t* weights, int taps, BytePair* out) {
  const auto start = static_cast<std::int16_t>((1 << 6) + taps / 2);
  std::int16_t low[count], high[count];
  for (int i = 0; i < count; ++i) low[i] = high[i] = start;
  for (int tap = 0; tap < taps; ++tap) {
    const BytePair* const pairs = in + tap * stride;
    const auto weight = static_cast<std::int16_t>(weights[tap]);
    for (int i = 0; i < count; ++i) {
      low[i] = static_cast<std::int16_t>(low[i] + multiply(static_cast<std::int16_t>(pairs[i] << 8), weight));
      high[i] =
          static_cast<std::int16_t>(high[i] + multiply(static_cast<std::int16_t>(pairs[i] & 0xff00), weight));
    }
  }
  for (int i = 0; i < count; ++i) {
    out[i] = static_cast<BytePair>(((low[i] >> 7) & 0xff) | ((high[i] >> 7) << 8));
  }
}

}  // namespace

GLIMPSE_ALSO_FOR_AVX2
void rows_to_columns(const std::array<const std::uint8_t*, rows_at_once>& rows, int bytes,
                     BytePair* columns) {
  auto* const out = reinterpret_cast<std::uint8_t*>(columns);
  const auto in = rows;  // a copy, which cannot be what is written to
#pragma GCC ivdep
  for (int i = 0; i < bytes; ++i) {
    for (int row = 0; row < rows_at_once; ++row) out[i * rows_at_once + row] = in[row][i] ^ 128;
  }
}

GLIMPSE_ALSO_FOR_AVX2
void resize_along_rows(const BytePair* columns, const ResizeAxis& axis, Steps steps, BytePair* out) {
  constexpr int pixel = 3 * pairs_at_once;
  const int begin = axis.begin();
  const std::int32_t* const weights = axis.weights.data();
  const bool exact = axis.exact;
  for (const ResizeAxis::Window& window : axis.windows) {
    BytePair bgr[pixel];
    const BytePair* const in = columns + (window.first - begin) * pixel;
    if (exact)
      weigh_exactly<pixel>(in, pixel, weights + window.weights, window.taps, bgr);
    else
      weigh_fast<pixel>(in, pixel, weights + window.weights, window.taps, bgr);
    for (int channel = 0; channel < 3; ++channel) {
      std::memcpy(out + channel * steps.channel * pairs_at_once, bgr + (2 - channel) * pairs_at_once,
                  rows_at_once);
    }
    out += steps.pixel * pairs_at_once;
  }
}

GLIMPSE_ALSO_FOR_AVX2
void columns_to_rows(const BytePair* columns, int bytes, BytePair* rows, std::ptrdiff_t stride) {
  const auto* const in = reinterpret_cast<const std::uint8_t*>(columns);
  auto* const out = reinterpret_cast<std::uint8_t*>(rows);
#pragma GCC ivdep
  for (int i = 0; i < bytes; ++i) {
    for (int row = 0; row < rows_at_once; ++row) out[row * stride + i] = in[i * rows_at_once + row];
  }
}

GLIMPSE_ALSO_FOR_AVX2
void resize_along_columns(const BytePair* rows, std::ptrdiff_t pairs, const ResizeAxis& axis, int y,
                          BytePair* out) {
  const ResizeAxis::Window& window = axis.windows[y];
  const std::int32_t* const weights = axis.weights.data() + window.weights;
  const int taps = window.taps;
  const bool exact = axis.exact;
  rows += (window.first - axis.begin()) * pairs;
  for (std::ptrdiff_t begin = 0; begin < pairs; begin += pairs_in_step) {
    if (exact)
      weigh_exactly<pairs_in_step>(rows + begin, pairs, weights, taps, out + begin);
    else
      weigh_fast<pairs_in_step>(rows + begin, pairs, weights, taps, out + begin);
    for (int i = 0; i < pairs_in_step; ++i) out[begin + i] ^= 0x8080;
  }
}

}  // namespace glimpse
