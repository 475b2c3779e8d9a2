#include "evaluation/timings.hpp"

#include <algorithm>

#include "core/percentile.hpp"

namespace glimpse {

Timings timings(std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  return {percentile(ms, 0.50), percentile(ms, 0.90), percentile(ms, 0.99), ms.front()};
}

}  // namespace glimpse
