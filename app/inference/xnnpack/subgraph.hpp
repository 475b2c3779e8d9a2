// An XNNPACK subgraph under construction. The calls of XNNPACK's C interface are in subgraph.cpp and
// runtime.cpp alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inference/lowering/graph.hpp"

struct xnn_subgraph;

namespace glimpse::xnnpack {

using lowering::Output;
using lowering::Quantization;
using lowering::Shape;
using lowering::Unsupported;
using lowering::Value;
using lowering::Weights;
using lowering::Window;

/// Whether this processor has what XNNPACK needs.
[[nodiscard]] bool is_available();

/// XNNPACK computes with int8: what is uint8 elsewhere lies 128 lower here, zero points as well.
constexpr std::int32_t int8_shift = 128;

class Subgraph : public lowering::Graph {
 public:
  static constexpr std::uint32_t input_id = 0, output_id = 1;

  Subgraph();
  Value input(const Shape& shape, const std::optional<Quantization>& quantization) override;
  void output(const Value& value) override;
  Value constant(float number) override;

  Value convolution(const Value& in, const Window& window, const Weights& weights,
                    const Output& out) override;
  Value sum(const Value& a, const Value& b, const Output& out) override;
  Value product(const Value& a, const Value& b, const Output& out) override;
  Value clamp(const Value& in, float least, float most) override;
  Value hardswish(const Value& in) override;
  Value sigmoid(const Value& in) override;
  Value convert(const Value& in, const std::optional<Quantization>& to) override;
  Value max_pool(const Value& in, const Window& window, const Output& out) override;
  Value global_average(const Value& in, const Output& out) override;
  Value concatenation(const std::vector<Value>& parts, const Output& out) override;

  [[nodiscard]] xnn_subgraph* get() const { return handle_.get(); }
  /// The tensors whose memory the subgraph and its runtime point to.
  [[nodiscard]] const std::vector<at::Tensor>& held() const { return held_; }

 private:
  [[nodiscard]] Value define(const Output& out, std::uint32_t external_id, std::uint32_t flags);
  [[nodiscard]] Value define(const Output& out);
  [[nodiscard]] std::uint32_t define_static(const at::Tensor& data, const std::vector<std::size_t>& shape,
                                            const std::vector<float>& scales, std::size_t channel_dim);
  [[nodiscard]] Value pad_channels(const Value& in, std::size_t before, std::size_t after);
  const void* hold(const at::Tensor& tensor);

  struct Delete {
    void operator()(xnn_subgraph* subgraph) const;
  };
  std::unique_ptr<xnn_subgraph, Delete> handle_;
  std::vector<at::Tensor> held_;
};

}  // namespace glimpse::xnnpack
