// What oneDNN shall do to a result besides computing it. oneDNN 2 (Debian 12) takes scales and zero points
// when a primitive is made, oneDNN 3 (Debian 13) as arguments of each run: that difference stays in here.
#pragma once

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <unordered_map>
#include <vector>

#include "inference/onednn/network.hpp"

namespace glimpse::onednn {

using Arguments = std::unordered_map<int, dnnl::memory>;

class Attributes {
 public:
  explicit Attributes(const dnnl::engine& engine);

  /// For a convolution of 8 bit. In float and in just the order in which LibTorch has each version of oneDNN
  /// do it: else one result in many is rounded the other way. `bias`: real; becomes what oneDNN adds.
  void scale_convolution(const Operation& operation, std::span<float> bias);
  /// The result of a reorder is multiplied by `factor`.
  void scale_result(float factor);
  /// An operand of a binary primitive is multiplied by `factor`.
  void scale_operand(int argument, float factor);
  void zero_point(int argument, std::int32_t zero_point);
  void add_to_what_is_there() { post_.append_sum(1.0f); }
  void multiply_and_add(float factor, float offset);
  /// The result is cut to its limits where that says more than the numbers it is written as. `unit`: what the
  /// result is in before it is written: real numbers, 1, or the steps of the result, their scale.
  void cut(const Operation& operation, float unit);
  /// The unit of a convolution's result.
  [[nodiscard]] static float unit_of_convolution(const Operation& operation);

  [[nodiscard]] dnnl::primitive_attr made();
  /// To be added to those of the primitive.
  [[nodiscard]] const Arguments& arguments() const { return arguments_; }

 private:
  void eltwise(dnnl::algorithm algorithm, float alpha, float beta);
  [[nodiscard]] dnnl::memory floats(const std::vector<float>& numbers) const;

  dnnl::engine engine_;
  dnnl::primitive_attr attributes_;
  dnnl::post_ops post_;
  Arguments arguments_;
};

}  // namespace glimpse::onednn
