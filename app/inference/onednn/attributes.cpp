#include "inference/onednn/attributes.hpp"

#include <algorithm>

namespace glimpse::onednn {

Attributes::Attributes(const dnnl::engine& engine) : engine_(engine) {
  attributes_.set_scratchpad_mode(dnnl::scratchpad_mode::user);
}

#if DNNL_VERSION_MAJOR < 3

void Attributes::scale_convolution(const Operation& operation, std::span<float> bias) {
  const float from = operation.in.front().quantization.value().scale;
  const float to_steps = 1 / operation.out.quantization.value().scale;
  std::vector<float> factors;
  for (std::size_t i = 0; i < bias.size(); ++i) {
    const float to_sum = 1 / from * (1 / operation.weights.scales[i]);
    factors.push_back(to_steps / to_sum);
    bias[i] *= to_sum;
  }
  attributes_.set_output_scales(1 << 1, factors);
}

float Attributes::unit_of_convolution(const Operation& operation) {
  return operation.out.quantization.value_or(Quantization{}).scale;
}

void Attributes::scale_result(float factor) {
  attributes_.set_output_scales(0, {factor});
}

void Attributes::scale_operand(int argument, float factor) {
  attributes_.set_scales(argument, 0, {factor});
}

void Attributes::zero_point(int argument, std::int32_t zero_point) {
  if (zero_point != 0) attributes_.set_zero_points(argument, 0, {zero_point});
}

void Attributes::eltwise(dnnl::algorithm algorithm, float alpha, float beta) {
  post_.append_eltwise(1.0f, algorithm, alpha, beta);
}

#else

void Attributes::scale_convolution(const Operation& operation, std::span<float>) {
  scale_operand(DNNL_ARG_SRC, operation.in.front().quantization.value().scale);
  scale_operand(DNNL_ARG_DST, operation.out.quantization.value().scale);
  attributes_.set_scales_mask(DNNL_ARG_WEIGHTS, operation.weights.groups > 1 ? 1 << 0 | 1 << 1 : 1 << 0);
  arguments_.emplace(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, floats(operation.weights.scales));
}

float Attributes::unit_of_convolution(const Operation&) {
  return 1;
}

void Attributes::scale_result(float factor) {
  scale_operand(DNNL_ARG_SRC, factor);
}

void Attributes::scale_operand(int argument, float factor) {
  attributes_.set_scales_mask(argument, 0);
  arguments_.emplace(DNNL_ARG_ATTR_SCALES | argument, floats({factor}));
}

void Attributes::zero_point(int argument, std::int32_t zero_point) {
  if (zero_point == 0) return;
  attributes_.set_zero_points_mask(argument, 0);
  dnnl::memory number({{1}, dnnl::memory::data_type::s32, dnnl::memory::format_tag::x}, engine_);
  *static_cast<std::int32_t*>(number.get_data_handle()) = zero_point;
  arguments_.emplace(DNNL_ARG_ATTR_ZERO_POINTS | argument, number);
}

void Attributes::eltwise(dnnl::algorithm algorithm, float alpha, float beta) {
  post_.append_eltwise(algorithm, alpha, beta);
}

#endif

dnnl::memory Attributes::floats(const std::vector<float>& numbers) const {
  const auto count = static_cast<dnnl::memory::dim>(numbers.size());
  dnnl::memory memory({{count}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::x}, engine_);
  std::copy(numbers.begin(), numbers.end(), static_cast<float*>(memory.get_data_handle()));
  return memory;
}

void Attributes::multiply_and_add(float factor, float offset) {
  eltwise(dnnl::algorithm::eltwise_linear, factor, offset);
}

// Post-ops come before the zero point of the result.
void Attributes::cut(const Operation& operation, float unit) {
  const float least = operation.least / unit, most = operation.most / unit;
  if (const auto& q = operation.out.quantization) {
    const auto lowest = static_cast<float>(0 - q->zero_point) * q->scale;
    const auto highest = static_cast<float>(255 - q->zero_point) * q->scale;
    if (operation.least <= lowest && operation.most >= highest) return;
  }
  const Output open;
  if (least == open.least && most == open.most) return;
  if (least == 0 && most == open.most) return eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
  eltwise(dnnl::algorithm::eltwise_clip, std::max(least, std::numeric_limits<float>::lowest()),
          std::min(most, std::numeric_limits<float>::max()));
}

dnnl::primitive_attr Attributes::made() {
  attributes_.set_post_ops(post_);
  return attributes_;
}

}  // namespace glimpse::onednn
