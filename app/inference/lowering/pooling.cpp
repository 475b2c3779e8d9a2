// Maxima and averages over windows and over the whole picture.
#include <ATen/ATen.h>

#include "inference/lowering/operators.hpp"

namespace glimpse::lowering {
namespace {

/// Padding at the far end so that exactly `out` windows fit, whichever way their number was rounded.
std::uint32_t padding_after(std::size_t in, std::size_t out, std::uint32_t kernel, std::uint32_t stride,
                            std::uint32_t dilation, std::uint32_t before) {
  const std::size_t reach = (out - 1) * stride + std::size_t{dilation} * (kernel - 1) + 1;
  return static_cast<std::uint32_t>(reach - std::min(reach, in + before));
}

Axes stride_or(const Call& call, std::size_t i, const Axes& kernel) {
  return call.constant(i).isIntList() && call.constant(i).toIntVector().empty() ? kernel : call.axes(i);
}

Value max_pool(const Call& call) {
  const Value& in = call.live(0);
  const Output out = call.output();
  Window w;
  w.kernel = call.axes(1);
  w.stride = stride_or(call, 2, w.kernel);
  w.before = call.axes(3);
  w.dilation = call.axes(4);
  w.after = {padding_after(in.shape[1], out.shape[1], w.kernel.height, w.stride.height, w.dilation.height,
                           w.before.height),
             padding_after(in.shape[2], out.shape[2], w.kernel.width, w.stride.width, w.dilation.width,
                           w.before.width)};
  return call.graph.max_pool(in, w, out);
}

/// A depthwise convolution with equal weights: it knows 8 bit and counts the padding wherever it runs.
Value average(const Call& call, const Window& window) {
  const Value& in = call.live(0);
  const Output out = call.output();
  const auto channels = static_cast<std::int64_t>(in.shape[3]);
  const float share = 1.0f / static_cast<float>(window.kernel.height * window.kernel.width);
  const std::vector<std::int64_t> shape{channels, 1, window.kernel.height, window.kernel.width};
  Weights weights;
  if (in.quantization) {
    weights.values = at::ones(shape, at::kChar);
    weights.scales.assign(in.shape[3], share);
  } else {
    weights.values = at::full(shape, share, at::kFloat);
  }
  weights.groups = static_cast<std::uint32_t>(channels);
  return call.graph.convolution(in, window, weights, out);
}

Value avg_pool(const Call& call) {
  const Shape in = call.live(0).shape, out = call.output().shape;
  Window w;
  w.kernel = call.axes(1);
  w.stride = stride_or(call, 2, w.kernel);
  w.before = w.after = call.axes(3);
  const bool padded = w.before.height > 0 || w.before.width > 0;
  if (padded && !call.constant(5).toBool()) call.refuse("padding that does not count");
  if (!call.is_none(6)) call.refuse("with a divisor of its own");
  const auto windows = [](std::size_t side, std::uint32_t kernel, std::uint32_t stride,
                          std::uint32_t padding) {
    return (side + 2 * std::size_t{padding} - kernel) / stride + 1;
  };
  if (out[1] != windows(in[1], w.kernel.height, w.stride.height, w.before.height) ||
      out[2] != windows(in[2], w.kernel.width, w.stride.width, w.before.width)) {
    call.refuse("with ceil_mode");
  }
  return average(call, w);
}

Value adaptive_avg_pool(const Call& call) {
  const Value& in = call.live(0);
  const Output out = call.output();
  if (out.shape == in.shape) return in;
  if (out.shape[1] == 1 && out.shape[2] == 1) return call.graph.global_average(in, out);
  if (in.shape[1] % out.shape[1] != 0 || in.shape[2] % out.shape[2] != 0)
    call.refuse("windows of different sizes");
  Window w;
  w.kernel = w.stride = {static_cast<std::uint32_t>(in.shape[1] / out.shape[1]),
                         static_cast<std::uint32_t>(in.shape[2] / out.shape[2])};
  return average(call, w);
}

Value mean(const Call& call) {
  const Value& in = call.live(0);
  if (!call.constant(1).isIntList()) call.refuse("only over height and width");
  std::vector<std::int64_t> dims = call.constant(1).toIntVector();
  for (std::int64_t& dim : dims) dim += dim < 0 ? 4 : 0;
  std::sort(dims.begin(), dims.end());
  if (dims != std::vector<std::int64_t>{2, 3} || call.arguments[0].example.toTensor().dim() != 4) {
    call.refuse("only over height and width");
  }
  return call.graph.global_average(in, call.output());
}

}  // namespace

const Operators& pooling_operators() {
  static const Operators operators{
      {"aten::max_pool2d", max_pool}, {"quantized::max_pool2d", max_pool},
      {"aten::avg_pool2d", avg_pool}, {"aten::adaptive_avg_pool2d", adaptive_avg_pool},
      {"aten::mean", mean},
  };
  return operators;
}

}  // namespace glimpse::lowering
