// LibTorch's operators in terms of an XNNPACK subgraph.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "inference/xnnpack/subgraph.hpp"

namespace glimpse::xnnpack {

/// What the graph computes, as far as an example input tells. `live`: where it depends on that input, its
/// place in the subgraph (more than one for a list of tensors).
struct Computed {
  c10::IValue example;
  std::vector<Value> live;
};

/// One call of an operator: what it was given, and what LibTorch made of it.
struct Call {
  Subgraph& graph;
  std::string name;
  std::span<const Computed> arguments;
  at::Tensor result;

  [[noreturn]] void refuse(const std::string& why) const { throw Unsupported(name + ": " + why); }
  [[nodiscard]] const Value& live(std::size_t i) const;            // refuses a constant
  [[nodiscard]] const c10::IValue& constant(std::size_t i) const;  // refuses what depends on the input
  [[nodiscard]] Axes axes(std::size_t i) const;                    // a list of one or two numbers
  [[nodiscard]] bool is_none(std::size_t i) const;
  /// Shape and quantization of the result.
  [[nodiscard]] Output output() const;
};

using Lower = Value (*)(const Call&);
using Operators = std::unordered_map<std::string, Lower>;

[[nodiscard]] const Operators& convolution_operators();
[[nodiscard]] const Operators& elementwise_operators();
[[nodiscard]] const Operators& pooling_operators();

/// nullptr where XNNPACK has nothing for it.
[[nodiscard]] Lower find_operator(const std::string& name);

/// The quantization of a tensor, shifted to int8 where it is uint8; none for float. Other types are refused.
[[nodiscard]] std::optional<Quantization> quantization_of(const at::Tensor& tensor, const std::string& name);
[[nodiscard]] Shape shape_of(const at::Tensor& tensor, const std::string& name);  // of [N,C,H,W] or [N,C]

}  // namespace glimpse::xnnpack
