// An XNNPACK subgraph under construction. The calls of XNNPACK's C interface are in subgraph.cpp and
// runtime.cpp alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

struct xnn_subgraph;

namespace glimpse::xnnpack {

/// A graph that XNNPACK cannot take; the message names the operator in the way.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Whether this processor has what XNNPACK needs.
[[nodiscard]] bool is_available();

/// real = scale * (q - zero_point), q of int8.
struct Quantization {
  float scale = 1;
  std::int32_t zero_point = 0;
  bool operator==(const Quantization&) const = default;
};

using Shape = std::array<std::size_t, 4>;  // batch, height, width, channels

/// A tensor of the subgraph: float, or int8 with its quantization.
struct Value {
  std::uint32_t id = 0;
  Shape shape{};
  std::optional<Quantization> quantization;
};

/// What an operator shall give; `least` and `most` cut its real values.
struct Output {
  Shape shape{};
  std::optional<Quantization> quantization;
  float least = -std::numeric_limits<float>::infinity();
  float most = std::numeric_limits<float>::infinity();
};

struct Axes {
  std::uint32_t height = 1, width = 1;
};

/// How a kernel goes over a picture. `before`: rows above, columns to the left; `after`: below, to the right.
struct Window {
  Axes kernel, stride, dilation;
  Axes before{0, 0}, after{0, 0};
};

struct Weights {
  at::Tensor values;          // float or int8: outputs x height x width x inputs of a group; see `depthwise`
  at::Tensor bias;            // float or int32, one for each output; may be undefined
  std::vector<float> scales;  // int8 alone: one for each output
  std::uint32_t groups = 1;
  bool depthwise = false;  // one group for each input channel; values are 1 x height x width x outputs
};

/// Throws Unsupported where XNNPACK refuses. Values are NHWC and belong to the subgraph that made them.
class Subgraph {
 public:
  static constexpr std::uint32_t input_id = 0, output_id = 1;

  Subgraph();
  [[nodiscard]] Value input(const Shape& shape);
  void output(const Value& value);
  [[nodiscard]] Value constant(float number);

  [[nodiscard]] Value convolution(const Value& in, const Window& window, const Weights& weights,
                                  const Output& out);
  [[nodiscard]] Value sum(const Value& a, const Value& b, const Output& out);
  [[nodiscard]] Value product(const Value& a, const Value& b, const Output& out);
  [[nodiscard]] Value clamp(const Value& in, float least, float most);
  [[nodiscard]] Value hardswish(const Value& in);  // float alone
  [[nodiscard]] Value convert(const Value& in, const std::optional<Quantization>& to);
  [[nodiscard]] Value max_pool(const Value& in, const Window& window, const Output& out);
  [[nodiscard]] Value global_average(const Value& in, const Output& out);
  [[nodiscard]] Value pad_channels(const Value& in, std::size_t before, std::size_t after);

  [[nodiscard]] xnn_subgraph* get() const { return handle_.get(); }
  /// The tensors whose memory the subgraph and its runtime point to.
  [[nodiscard]] const std::vector<at::Tensor>& held() const { return held_; }

 private:
  [[nodiscard]] Value define(const Output& out, std::uint32_t external_id, std::uint32_t flags);
  [[nodiscard]] Value define(const Output& out);
  [[nodiscard]] std::uint32_t define_static(const at::Tensor& data, const std::vector<std::size_t>& shape,
                                            const std::vector<float>& scales, std::size_t channel_dim);
  const void* hold(const at::Tensor& tensor);

  struct Delete {
    void operator()(xnn_subgraph* subgraph) const;
  };
  std::unique_ptr<xnn_subgraph, Delete> handle_;
  std::vector<at::Tensor> held_;
};

}  // namespace glimpse::xnnpack
