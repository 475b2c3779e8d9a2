// From a TorchScript graph to that of a library of kernels.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include "inference/lowering/graph.hpp"

namespace glimpse::lowering {

struct Lowered {
  Value input;                             // 8 bit where the network begins with a quantization
  Shape output{};                          // float
  std::vector<std::int64_t> output_sizes;  // as LibTorch gives them
};

/// `frozen`: from torch::jit::freeze, of one tensor to one tensor. It is computed once by LibTorch, on
/// `example` (float [N,C,H,W]): shapes, quantization and branches are read off the way. Throws Unsupported.
[[nodiscard]] Lowered lower(const torch::jit::Module& frozen, const at::Tensor& example, Graph& into);

}  // namespace glimpse::lowering
