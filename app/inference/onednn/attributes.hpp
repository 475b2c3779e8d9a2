// What oneDNN shall do to a result besides computing it. oneDNN 2 (Debian 12) takes scales and zero points
// when a primitive is made, oneDNN 3 (Debian 13) as arguments of each run: that difference stays in here.
#pragma once

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "inference/onednn/network.hpp"

namespace glimpse::onednn {

using Arguments = std::unordered_map<int, dnnl::memory>;

class Attributes {
 public:
  explicit Attributes(const dnnl::engine& engine);

  /// The result of a convolution is multiplied by one factor for each output.
  void scale_outputs(const std::vector<float>& factors, bool grouped);
  /// The result of a reorder is multiplied by `factor`.
  void scale_result(float factor);
  /// An operand of a binary primitive is multiplied by `factor`.
  void scale_operand(int argument, float factor);
  void zero_point(int argument, std::int32_t zero_point);
  void add_to_what_is_there() { post_.append_sum(1.0f); }
  void multiply_and_add(float factor, float offset);
  /// The result is cut to its limits where that says more than the numbers it is written as.
  void cut(const Operation& operation);

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
