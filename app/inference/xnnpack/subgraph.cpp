#include "inference/xnnpack/subgraph.hpp"

#include <ATen/ATen.h>
#include <xnnpack.h>

#include <cmath>

namespace glimpse::xnnpack {
namespace {

// Newer headers drop the 1x1 that global pooling leaves unless told to keep it; older ones always keep it.
#ifdef XNN_FLAG_KEEP_DIMS
constexpr std::uint32_t keep_dims = XNN_FLAG_KEEP_DIMS;
#else
constexpr std::uint32_t keep_dims = 0;
#endif

void check(xnn_status status, const char* what) {
  if (status != xnn_status_success) {
    throw Unsupported(std::string("XNNPACK refuses ") + what + " (status " + std::to_string(status) + ")");
  }
}

/// XNNPACK finds a ratio of scales out of its range only when all is built, and then does not say whose.
void check_ratio(float in_scale, const std::optional<Quantization>& out, float least, const char* what) {
  const float ratio = out ? in_scale / out->scale : 1;
  if (!(ratio >= least && ratio < 256)) {
    throw Unsupported(std::string("XNNPACK refuses ") + what + " of scales " + std::to_string(ratio) +
                      " : 1");
  }
}

/// XNNPACK's int32 bias. A channel whose weights are next to nothing has so small a scale that its bias would
/// not fit: such a channel gets a larger one.
at::Tensor quantized_bias(Weights& weights, float input_scale) {
  constexpr double limit = 1 << 30;
  if (!weights.bias.defined()) return {};
  weights.values = weights.values.clone();
  at::Tensor bias = at::empty_like(weights.bias, at::kInt);
  const std::int64_t in_channel = weights.values.numel() / weights.values.size(0);
  for (std::int64_t i = 0; i < bias.numel(); ++i) {
    float& scale = weights.scales[static_cast<std::size_t>(i)];
    const double real = weights.bias.data_ptr<float>()[i];
    const auto least_scale = static_cast<float>(std::abs(real) / limit / input_scale);
    if (scale < least_scale) {
      std::int8_t* const w = weights.values.data_ptr<std::int8_t>() + i * in_channel;
      for (std::int64_t k = 0; k < in_channel; ++k) {
        w[k] = static_cast<std::int8_t>(std::lround(static_cast<float>(w[k]) * scale / least_scale));
      }
      scale = least_scale;
    }
    bias.data_ptr<std::int32_t>()[i] =
        static_cast<std::int32_t>(std::llround(real / (double{scale} * input_scale)));
  }
  return bias;
}

float scale_of(const Value& value) {
  return value.quantization.value_or(Quantization{}).scale;
}

}  // namespace

bool is_available() {
  static const bool available = xnn_initialize(nullptr) == xnn_status_success;
  return available;
}

void Subgraph::Delete::operator()(xnn_subgraph* subgraph) const {
  xnn_delete_subgraph(subgraph);
}

Subgraph::Subgraph() {
  if (!is_available()) throw Unsupported("XNNPACK does not run on this processor");
  xnn_subgraph_t subgraph = nullptr;
  check(xnn_create_subgraph(2, 0, &subgraph), "a new graph");
  handle_.reset(subgraph);
}

const void* Subgraph::hold(const at::Tensor& tensor) {
  return held_.emplace_back(tensor.contiguous()).data_ptr();
}

Value Subgraph::define(const Output& out, std::uint32_t external_id, std::uint32_t flags) {
  Value value{0, out.shape, out.quantization};
  const auto& q = out.quantization;
  check(q ? xnn_define_quantized_tensor_value(get(), xnn_datatype_qint8, q->zero_point - int8_shift, q->scale,
                                              out.shape.size(), out.shape.data(), nullptr, external_id, flags,
                                              &value.id)
          : xnn_define_tensor_value(get(), xnn_datatype_fp32, out.shape.size(), out.shape.data(), nullptr,
                                    external_id, flags, &value.id),
        "a tensor");
  return value;
}

Value Subgraph::define(const Output& out) {
  return define(out, XNN_INVALID_VALUE_ID, 0);
}

std::uint32_t Subgraph::define_static(const at::Tensor& data, const std::vector<std::size_t>& shape,
                                      const std::vector<float>& scales, std::size_t channel_dim) {
  if (!data.defined()) return XNN_INVALID_VALUE_ID;
  std::uint32_t id = 0;
  const void* const values = hold(data);
  if (scales.empty()) {
    check(xnn_define_tensor_value(get(), xnn_datatype_fp32, shape.size(), shape.data(), values,
                                  XNN_INVALID_VALUE_ID, 0, &id),
          "weights");
  } else {
    const at::Tensor kept = at::tensor(scales);
    check(xnn_define_channelwise_quantized_tensor_value(
              get(), data.scalar_type() == at::kInt ? xnn_datatype_qcint32 : xnn_datatype_qcint8,
              static_cast<const float*>(hold(kept)), shape.size(), channel_dim, shape.data(), values,
              XNN_INVALID_VALUE_ID, 0, &id),
          "int8 weights");
  }
  return id;
}

Value Subgraph::input(const Shape& shape, const std::optional<Quantization>& quantization) {
  return define({shape, quantization}, input_id, XNN_VALUE_FLAG_EXTERNAL_INPUT);
}

void Subgraph::output(const Value& value) {
  const Value out = define({value.shape, std::nullopt}, output_id, XNN_VALUE_FLAG_EXTERNAL_OUTPUT);
  // A copy of a few logits: the operator before need not know that it is the last.
  check(xnn_define_static_reshape(get(), value.shape.size(), value.shape.data(), value.id, out.id, 0),
        "the output");
}

Value Subgraph::constant(float number) {
  // XNNPACK may read XNN_EXTRA_BYTES beyond the end.
  const at::Tensor padded = at::full({1 + XNN_EXTRA_BYTES}, number, at::kFloat);
  return {define_static(padded, {1, 1, 1, 1}, {}, 0), {1, 1, 1, 1}, std::nullopt};
}

Value Subgraph::convolution(const Value& in, const Window& w, const Weights& given, const Output& out) {
  Weights weights = given;
  const std::size_t inputs = in.shape[3], outputs = out.shape[3], groups = weights.groups;
  const auto& [kernel, stride, dilation, before, after] = w;
  if (in.quantization) weights.bias = quantized_bias(weights, scale_of(in));
  std::vector<float> bias_scales = weights.scales;
  for (float& scale : bias_scales) {
    scale *= scale_of(in);
    check_ratio(scale, out.quantization, 0, "a convolution");
  }
  const bool depthwise = groups > 1 && groups == inputs;
  const std::size_t height = kernel.height, width = kernel.width;
  const auto shape = depthwise ? std::vector{std::size_t{1}, height, width, outputs}
                               : std::vector{outputs, height, width, inputs / groups};
  const at::Tensor ordered =
      depthwise ? weights.values.permute({1, 2, 3, 0}) : weights.values.permute({0, 2, 3, 1});
  const std::uint32_t filter = define_static(ordered, shape, weights.scales, depthwise ? 3 : 0);
  const std::uint32_t bias = define_static(weights.bias, {outputs}, bias_scales, 0);
  const Value result = define(out);
  if (depthwise) {
    check(xnn_define_depthwise_convolution_2d(get(), before.height, after.width, after.height, before.width,
                                              kernel.height, kernel.width, stride.height, stride.width,
                                              dilation.height, dilation.width,
                                              static_cast<std::uint32_t>(outputs / inputs), inputs, out.least,
                                              out.most, in.id, filter, bias, result.id, 0),
          "a depthwise convolution");
  } else {
    check(xnn_define_convolution_2d(get(), before.height, after.width, after.height, before.width,
                                    kernel.height, kernel.width, stride.height, stride.width, dilation.height,
                                    dilation.width, given.groups, inputs / groups, outputs / groups,
                                    out.least, out.most, in.id, filter, bias, result.id, 0),
          "a convolution");
  }
  return result;
}

Value Subgraph::sum(const Value& a, const Value& b, const Output& out) {
  for (const Value& in : {a, b}) check_ratio(scale_of(in), out.quantization, 0x1p-10f, "an addition");
  const Value result = define(out);
  check(xnn_define_add2(get(), out.least, out.most, a.id, b.id, result.id, 0), "an addition");
  return result;
}

Value Subgraph::product(const Value& a, const Value& b, const Output& out) {
  check_ratio(scale_of(a) * scale_of(b), out.quantization, 0x1p-16f, "a multiplication");
  const Value result = define(out);
  check(xnn_define_multiply2(get(), out.least, out.most, a.id, b.id, result.id, 0), "a multiplication");
  return result;
}

Value Subgraph::clamp(const Value& in, float least, float most) {
  const Value result = define({in.shape, in.quantization});
  check(xnn_define_clamp(get(), least, most, in.id, result.id, 0), "a clamp");
  return result;
}

Value Subgraph::hardswish(const Value& in) {
  const Value result = define({in.shape, in.quantization});
  check(xnn_define_hardswish(get(), in.id, result.id, 0), "a hardswish");
  return result;
}

Value Subgraph::sigmoid(const Value& in) {
  const Value result = define({in.shape, in.quantization});
  check(xnn_define_sigmoid(get(), in.id, result.id, 0), "a sigmoid");
  return result;
}

Value Subgraph::convert(const Value& in, const std::optional<Quantization>& to) {
  if (in.quantization == to) return in;
  if (in.quantization && to) return convert(convert(in, std::nullopt), to);
  const Value result = define({in.shape, to});
  check(xnn_define_convert(get(), in.id, result.id, 0), "a quantization");
  return result;
}

Value Subgraph::max_pool(const Value& in, const Window& w, const Output& out) {
  const Value result = define(out);
  check(xnn_define_max_pooling_2d(get(), w.before.height, w.after.width, w.after.height, w.before.width,
                                  w.kernel.height, w.kernel.width, w.stride.height, w.stride.width,
                                  w.dilation.height, w.dilation.width, out.least, out.most, in.id, result.id,
                                  0),
        "a max pooling");
  return result;
}

Value Subgraph::global_average(const Value& in, const Output& out) {
  const Value result = define(out);
  check(xnn_define_global_average_pooling_2d(get(), out.least, out.most, in.id, result.id, keep_dims),
        "a global average");
  return result;
}

Value Subgraph::pad_channels(const Value& in, std::size_t before, std::size_t after) {
  Shape shape = in.shape;
  shape[3] += before + after;
  const Value result = define({shape, in.quantization});
  const Shape pre{0, 0, 0, before}, post{0, 0, 0, after};
  check(xnn_define_static_constant_pad(get(), pre.data(), post.data(), 0, in.id, result.id, 0), "padding");
  return result;
}

/// XNNPACK of 2022 has no concatenation: each part is widened with zeros to the whole, and the parts are
/// added.
Value Subgraph::concatenation(const std::vector<Value>& parts, const Output& out) {
  std::size_t before = 0;
  std::optional<Value> whole;
  for (const Value& part : parts) {
    const std::size_t channels = part.shape[3];
    const Value wide = pad_channels(part, before, out.shape[3] - before - channels);
    whole = whole ? sum(*whole, wide, out) : wide;
    before += channels;
  }
  return whole.value();
}

}  // namespace glimpse::xnnpack
