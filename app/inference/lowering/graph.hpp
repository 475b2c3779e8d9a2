// A network as the libraries of kernels build it: what lowering/ tells them, and what onednn/ and xnnpack/
// make of it.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <vector>

namespace glimpse::lowering {

/// A graph that a library cannot take; the message names the operator in the way.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// real = scale * (q - zero_point), q of uint8.
struct Quantization {
  float scale = 1;
  std::int32_t zero_point = 0;
  bool operator==(const Quantization&) const = default;
};

using Shape = std::array<std::size_t, 4>;  // batch, height, width, channels

/// A tensor of the graph: float, or 8 bit with its quantization.
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
  at::Tensor values;          // float or int8: outputs x inputs of a group x height x width
  at::Tensor bias;            // float, real values, one for each output; may be undefined
  std::vector<float> scales;  // int8 alone: one for each output
  std::uint32_t groups = 1;
};

/// A network under construction. Throws Unsupported where the library refuses. Values are NHWC and belong to
/// the graph that made them. Float and 8 bit meet in convert() alone.
class Graph {
 public:
  virtual ~Graph() = default;

  virtual Value input(const Shape& shape,
                      const std::optional<Quantization>& quantization) = 0;  // once, first
  virtual void output(const Value& value) = 0;                               // once, last
  virtual Value constant(float number) = 0;

  virtual Value convolution(const Value& in, const Window& window, const Weights& weights,
                            const Output& out) = 0;
  virtual Value sum(const Value& a, const Value& b, const Output& out) = 0;
  virtual Value product(const Value& a, const Value& b, const Output& out) = 0;
  virtual Value clamp(const Value& in, float least, float most) = 0;
  virtual Value hardswish(const Value& in) = 0;  // float alone
  virtual Value sigmoid(const Value& in) = 0;    // float alone
  virtual Value convert(const Value& in, const std::optional<Quantization>& to) = 0;
  virtual Value max_pool(const Value& in, const Window& window, const Output& out) = 0;
  virtual Value global_average(const Value& in, const Output& out) = 0;
  virtual Value concatenation(const std::vector<Value>& parts, const Output& out) = 0;  // along channels
};

}  // namespace glimpse::lowering
