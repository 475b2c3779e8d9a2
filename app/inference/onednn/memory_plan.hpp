// Where the activations of a network lie: those that are not needed at the same time share memory.
#pragma once

#include <cstddef>
#include <vector>

namespace glimpse::onednn {

/// A tensor that is written by step `first` and read for the last time by step `last`.
struct Lifetime {
  std::size_t bytes = 0;
  std::size_t first = 0, last = 0;
};

struct MemoryPlan {
  std::vector<std::size_t> offsets;  // of each tensor, in bytes, multiples of `alignment`
  std::size_t bytes = 0;             // of all
};

/// The largest tensors are placed first, each at the lowest place that is free while it lives.
[[nodiscard]] MemoryPlan plan_memory(const std::vector<Lifetime>& tensors, std::size_t alignment);

}  // namespace glimpse::onednn
