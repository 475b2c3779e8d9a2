#include "inference/top_k.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace glimpse {

std::vector<Prediction> top_k(std::span<const float> logits, const std::vector<std::string>& labels, int k) {
  const auto value = [&](int i) {
    const float logit = logits[static_cast<std::size_t>(i)];
    return std::isnan(logit) ? -std::numeric_limits<float>::infinity() : logit;
  };
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = std::min<std::ptrdiff_t>(k, std::ssize(order));
  std::partial_sort(order.begin(), order.begin() + kept, order.end(),
                    [&](int a, int b) { return value(a) != value(b) ? value(a) > value(b) : a < b; });
  double sum = 0;  // of exp(logit - largest), which cannot overflow
  const float largest = order.empty() ? 0.0f : value(order.front());
  for (int i = 0; i < std::ssize(logits); ++i) sum += std::exp(static_cast<double>(value(i)) - largest);

  std::vector<Prediction> top;
  for (auto it = order.begin(); it != order.begin() + kept; ++it) {
    top.push_back({*it, labels[static_cast<std::size_t>(*it)],
                   std::exp(static_cast<double>(value(*it)) - largest) / sum});
  }
  return top;
}

}  // namespace glimpse
