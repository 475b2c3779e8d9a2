// How long frames took, over the whole run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/waiting.hpp"

namespace glimpse {

/// How many values were at most each of the bounds, as Prometheus counts them.
class Histogram {
 public:
  static constexpr std::array<double, 14> bounds_s{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                   0.025,  0.05,    0.1,    0.25,  0.5,    1,     2.5};
  void add(double seconds) {
    std::size_t bucket = 0;
    while (bucket < bounds_s.size() && seconds > bounds_s[bucket]) ++bucket;
    ++counts_[bucket];
    sum_s_ += seconds;
  }
  /// Values at most bounds_s[bound], those of the bounds below included; of bounds_s.size(): all.
  [[nodiscard]] std::uint64_t up_to(std::size_t bound) const {
    std::uint64_t count = 0;
    for (std::size_t bucket = 0; bucket <= bound; ++bucket) count += counts_[bucket];
    return count;
  }
  [[nodiscard]] std::uint64_t count() const { return up_to(bounds_s.size()); }
  [[nodiscard]] double sum_s() const { return sum_s_; }

 private:
  std::array<std::uint64_t, bounds_s.size() + 1> counts_{};
  double sum_s_ = 0;
};

/// Of the frames that were named.
struct FrameTimes {
  Histogram inference, preprocess, age;
  std::optional<Steady::time_point> last_at;  // when the last one was
};

}  // namespace glimpse
