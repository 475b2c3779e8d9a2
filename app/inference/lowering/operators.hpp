// LibTorch's operators in terms of a Graph.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "inference/lowering/graph.hpp"

namespace glimpse::lowering {

/// What the graph computes, as far as an example input tells. `live`: where it depends on that input, its
/// place in the graph (more than one for a list of tensors).
struct Computed {
  c10::IValue example;
  std::vector<Value> live;
};

/// One call of an operator: what it was given, and what LibTorch made of it.
struct Call {
  Graph& graph;
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

/// nullptr for an operator that is not known here.
[[nodiscard]] Lower find_operator(const std::string& name);

/// The quantization of a tensor, shifted to uint8 where it is int8; none for float. Other types are refused.
[[nodiscard]] std::optional<Quantization> quantization_of(const at::Tensor& tensor, const std::string& name);
[[nodiscard]] std::optional<Quantization> quantization(double scale, std::int64_t zero_point,
                                                       at::ScalarType type);      // none: not 8 bit
[[nodiscard]] Shape shape_of(const at::Tensor& tensor, const std::string& name);  // of [N,C,H,W] or [N,C]

}  // namespace glimpse::lowering
