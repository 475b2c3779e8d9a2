// From a TorchScript graph to an XNNPACK subgraph.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include "inference/xnnpack/subgraph.hpp"

namespace glimpse::xnnpack {

struct Lowered {
  Subgraph subgraph;
  Shape input{}, output{};
  std::vector<std::int64_t> output_sizes;  // as LibTorch gives them
};

/// `graph`: frozen and inlined, from (self, input) to one tensor. It is computed once by LibTorch, on
/// `example` (float [N,C,H,W]): shapes, quantization and branches are read off the way. Throws Unsupported.
[[nodiscard]] Lowered lower(torch::jit::Graph& graph, const at::Tensor& example);

}  // namespace glimpse::xnnpack
