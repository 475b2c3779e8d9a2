#include "inference/onednn/memory_plan.hpp"

#include <algorithm>
#include <numeric>

namespace glimpse::onednn {

MemoryPlan plan_memory(const std::vector<Lifetime>& tensors, std::size_t alignment) {
  std::vector<std::size_t> by_size(tensors.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](std::size_t a, std::size_t b) { return tensors[a].bytes > tensors[b].bytes; });
  const auto padded = [&](std::size_t i) {
    return (tensors[i].bytes + alignment - 1) / alignment * alignment;
  };
  MemoryPlan plan{std::vector<std::size_t>(tensors.size()), 0};
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t i : by_size) {
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      const bool together =
          tensors[i].first <= tensors[other].last && tensors[other].first <= tensors[i].last;
      if (!together) continue;
      if (offset + padded(i) <= plan.offsets[other]) break;
      offset = std::max(offset, plan.offsets[other] + padded(other));
    }
    plan.offsets[i] = offset;
    plan.bytes = std::max(plan.bytes, offset + padded(i));
    const auto after = [&](std::size_t at, std::size_t other) { return at < plan.offsets[other]; };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset, after), i);
  }
  return plan;
}

}  // namespace glimpse::onednn
