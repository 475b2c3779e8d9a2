// Convolutions and linear layers, float and int8.
#include <ATen/native/quantized/PackedParams.h>

#include "inference/lowering/operators.hpp"

namespace glimpse::lowering {
namespace {

struct Placing {  // of a kernel on the picture
  Axes stride, padding{0, 0}, dilation;
  std::int64_t groups = 1;
};

std::vector<float> scales_of(const Call& call, const at::Tensor& weight) {
  const bool per_channel = weight.qscheme() == at::kPerChannelAffine;
  if (!per_channel && weight.qscheme() != at::kPerTensorAffine)
    call.refuse("weights of unknown quantization");
  if (per_channel && weight.q_per_channel_axis() != 0) call.refuse("weights quantized along another axis");
  const bool centred = per_channel ? at::all(weight.q_per_channel_zero_points() == 0).item<bool>()
                                   : weight.q_zero_point() == 0;
  if (!centred) call.refuse("weights with a zero point");
  const at::Tensor scales = per_channel ? weight.q_per_channel_scales().to(at::kFloat).contiguous()
                                        : at::full({weight.size(0)}, weight.q_scale(), at::kFloat);
  return {scales.data_ptr<float>(), scales.data_ptr<float>() + scales.numel()};
}

Weights quantized(const Call& call, const at::Tensor& weight, const c10::optional<at::Tensor>& bias) {
  const bool has_bias = bias.has_value() && bias->defined();
  return {weight.int_repr().contiguous(),
          has_bias ? bias->dequantize().to(at::kFloat).contiguous() : at::Tensor(), scales_of(call, weight)};
}

Weights real(const Call& call, const c10::IValue& weight, const c10::IValue& bias) {
  if (!weight.isTensor() || weight.toTensor().scalar_type() != at::kFloat)
    call.refuse("weights that are not float");
  return {weight.toTensor().contiguous(),
          bias.isNone() ? at::Tensor() : bias.toTensor().to(at::kFloat).contiguous(),
          {}};
}

Value convolve(const Call& call, Weights weights, const Placing& placing, Output out) {
  const Value& in = call.live(0);
  if (in.quantization.has_value() == weights.scales.empty() || weights.values.dim() != 4) {
    call.refuse("its weights do not suit its input");
  }
  const auto side = [&](int dim) { return static_cast<std::uint32_t>(weights.values.size(dim)); };
  weights.groups = static_cast<std::uint32_t>(placing.groups);
  const Window window{{side(2), side(3)}, placing.stride, placing.dilation, placing.padding, placing.padding};
  return call.graph.convolution(in, window, weights, out);
}

Value float_convolution(const Call& call) {
  const bool internal = call.name == "aten::_convolution";
  if (internal && call.constant(6).toBool()) call.refuse("transposed");
  return convolve(call, real(call, call.constant(1), call.constant(2)),
                  {call.axes(3), call.axes(4), call.axes(5), call.constant(internal ? 8 : 6).toInt()},
                  call.output());
}

template <bool relu>
Value quantized_convolution(const Call& call) {
  const auto packed = call.constant(1).toCustomClass<ConvPackedParamsBase<2>>();
  if (packed->transpose()) call.refuse("transposed");
  const auto [weight, bias] = packed->unpack();
  const auto axes = [](const torch::List<std::int64_t>& list) {
    return Axes{static_cast<std::uint32_t>(list.get(0)),
                static_cast<std::uint32_t>(list.get(list.size() - 1))};
  };
  Output out = call.output();
  if (relu) out.least = 0;
  return convolve(
      call, quantized(call, weight, bias),
      {axes(packed->stride()), axes(packed->padding()), axes(packed->dilation()), packed->groups()}, out);
}

/// A linear layer is a convolution that sees the whole picture: what was flattened before it need not move.
Value connect(const Call& call, Weights weights, const Output& out) {
  const auto [batch, height, width, channels] = call.live(0).shape;
  if (call.result.dim() != 2) call.refuse("its input has more than two dimensions");
  weights.values =
      weights.values.reshape({weights.values.size(0), static_cast<std::int64_t>(channels),
                              static_cast<std::int64_t>(height), static_cast<std::int64_t>(width)});
  return convolve(call, std::move(weights), {}, out);
}

Value float_linear(const Call& call) {
  return connect(call, real(call, call.constant(1), call.constant(2)), call.output());
}

template <bool relu>
Value quantized_linear(const Call& call) {
  const auto [weight, bias] = call.constant(1).toCustomClass<LinearPackedParamsBase>()->unpack();
  Output out = call.output();
  if (relu) out.least = 0;
  return connect(call, quantized(call, weight, bias), out);
}

}  // namespace

const Operators& convolution_operators() {
  static const Operators operators{
      {"aten::conv2d", float_convolution},
      {"aten::_convolution", float_convolution},
      {"aten::linear", float_linear},
      {"quantized::conv2d", quantized_convolution<false>},
      {"quantized::conv2d_relu", quantized_convolution<true>},
      {"quantized::linear", quantized_linear<false>},
      {"quantized::linear_relu", quantized_linear<true>},
  };
  return operators;
}

}  // namespace glimpse::lowering
