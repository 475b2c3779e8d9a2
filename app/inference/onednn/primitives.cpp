#include "inference/onednn/primitives.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace glimpse::onednn {
namespace {

using Dims = dnnl::memory::dims;
using Description = dnnl::memory::desc;
using Format = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

constexpr auto inference = dnnl::prop_kind::forward_inference;

/// What one operation is made of.
struct Making {
  const Operation& operation;
  const std::vector<dnnl::memory>& memory_of;
  dnnl::engine engine;
  Attributes attributes{engine};

  [[nodiscard]] const dnnl::memory& in(std::size_t i) const { return memory_of[operation.in[i].id]; }
  [[nodiscard]] const dnnl::memory& out() const { return memory_of[operation.out.id]; }

  template <class Primitive, class PrimitiveDescription>
  [[nodiscard]] Step step(const PrimitiveDescription& description, Arguments arguments) const {
    arguments.insert(attributes.arguments().begin(), attributes.arguments().end());
    return {Primitive(description), std::move(arguments), description.scratchpad_desc().get_size()};
  }
};

Dims dims_of(const lowering::Axes& axes) {
  return {axes.height, axes.width};
}

/// oneDNN counts the points left out between those that are read.
Dims dilation_of(const Window& window) {
  return {window.dilation.height - 1, window.dilation.width - 1};
}

dnnl::convolution_forward::primitive_desc describe_convolution(Making& making, const Description& weights,
                                                               const Description& bias) {
  const Description in = making.in(0).get_desc(), out = making.out().get_desc();
  const Window& w = making.operation.window;
  constexpr auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR < 3
  return {{inference, algorithm, in, weights, bias, out, dims_of(w.stride), dilation_of(w), dims_of(w.before),
           dims_of(w.after)},
          making.attributes.made(),
          making.engine};
#else
  return {making.engine,
          inference,
          algorithm,
          in,
          weights,
          bias,
          out,
          dims_of(w.stride),
          dilation_of(w),
          dims_of(w.before),
          dims_of(w.after),
          making.attributes.made()};
#endif
}

Step pooling(Making& making, dnnl::algorithm algorithm, const Window& w) {
  const Description in = making.in(0).get_desc(), out = making.out().get_desc();
#if DNNL_VERSION_MAJOR < 3
  using Pooling = dnnl::pooling_v2_forward;
  const Pooling::primitive_desc description(
      {inference, algorithm, in, out, dims_of(w.stride), dims_of(w.kernel), dilation_of(w), dims_of(w.before),
       dims_of(w.after)},
      making.attributes.made(), making.engine);
#else
  using Pooling = dnnl::pooling_forward;
  const Pooling::primitive_desc description(making.engine, inference, algorithm, in, out, dims_of(w.stride),
                                            dims_of(w.kernel), dilation_of(w), dims_of(w.before),
                                            dims_of(w.after), making.attributes.made());
#endif
  return making.step<Pooling>(description, {{DNNL_ARG_SRC, making.in(0)}, {DNNL_ARG_DST, making.out()}});
}

Step eltwise(Making& making, dnnl::algorithm algorithm, float alpha, float beta) {
  const Description in = making.in(0).get_desc();
#if DNNL_VERSION_MAJOR < 3
  const dnnl::eltwise_forward::primitive_desc description({inference, algorithm, in, alpha, beta},
                                                          making.attributes.made(), making.engine);
#else
  const dnnl::eltwise_forward::primitive_desc description(making.engine, inference, algorithm, in,
                                                          making.out().get_desc(), alpha, beta,
                                                          making.attributes.made());
#endif
  return making.step<dnnl::eltwise_forward>(description,
                                            {{DNNL_ARG_SRC, making.in(0)}, {DNNL_ARG_DST, making.out()}});
}

Step binary(Making& making, dnnl::algorithm algorithm) {
  const Description a = making.in(0).get_desc(), b = making.in(1).get_desc(), out = making.out().get_desc();
#if DNNL_VERSION_MAJOR < 3
  const dnnl::binary::primitive_desc description({algorithm, a, b, out}, making.attributes.made(),
                                                 making.engine);
#else
  const dnnl::binary::primitive_desc description(making.engine, algorithm, a, b, out,
                                                 making.attributes.made());
#endif
  return making.step<dnnl::binary>(
      description,
      {{DNNL_ARG_SRC_0, making.in(0)}, {DNNL_ARG_SRC_1, making.in(1)}, {DNNL_ARG_DST, making.out()}});
}

Step concatenation(Making& making) {
  std::vector<Description> parts;
  Arguments arguments{{DNNL_ARG_DST, making.out()}};
  for (std::size_t i = 0; i < making.operation.in.size(); ++i) {
    parts.push_back(making.in(i).get_desc());
    arguments.emplace(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), making.in(i));
  }
  const Description out = making.out().get_desc();
#if DNNL_VERSION_MAJOR < 3
  const dnnl::concat::primitive_desc description(out, 1, parts, making.engine, making.attributes.made());
#else
  const dnnl::concat::primitive_desc description(making.engine, out, 1, parts, making.attributes.made());
#endif
  return making.step<dnnl::concat>(description, std::move(arguments));
}

/// From one place and form to another, at once: for weights.
dnnl::memory reordered(const void* data, const Description& from, const Description& to,
                       const dnnl::engine& engine) {
  dnnl::memory source(from, engine, const_cast<void*>(data)), result(to, engine);
  dnnl::stream stream(engine);
  dnnl::reorder(source, result).execute(stream, source, result);
  stream.wait();
  return result;
}

Step convolution(Making& making) {
  const Operation& operation = making.operation;
  const Weights& weights = operation.weights;
  const auto& from = operation.in.front().quantization;
  const auto& to = operation.out.quantization;
  if (from.has_value() != to.has_value()) throw Unsupported("oneDNN: a convolution between float and int8");
  const auto outputs = static_cast<std::int64_t>(operation.out.shape[3]);

  at::Tensor bias = weights.bias.defined() ? weights.bias.clone() : at::zeros({outputs}, at::kFloat);
  if (from) {
    making.attributes.scale_convolution(operation,
                                        {bias.data_ptr<float>(), static_cast<std::size_t>(outputs)});
    making.attributes.zero_point(DNNL_ARG_SRC, from->zero_point);
    making.attributes.zero_point(DNNL_ARG_DST, to->zero_point);
  }
  if (operation.added) making.attributes.add_to_what_is_there();
  making.attributes.cut(operation, Attributes::unit_of_convolution(operation));

  const at::Tensor values = weights.values.contiguous();
  Dims dims = values.sizes().vec();
  if (weights.groups > 1) {
    dims.insert(dims.begin(), weights.groups);
    dims[1] /= weights.groups;
  }
  const Type type = from ? Type::s8 : Type::f32;
  const Description bias_description({outputs}, Type::f32, Format::x);
  const auto description = describe_convolution(making, {dims, type, Format::any}, bias_description);
  if (std::strncmp(description.impl_info_str(), "ref", 3) == 0) {
    throw Unsupported("oneDNN has no fast kernel for one of the network's convolutions on this processor");
  }
  const Description plain(dims, type, weights.groups > 1 ? Format::goihw : Format::oihw);
  return making.step<dnnl::convolution_forward>(
      description,
      {{DNNL_ARG_SRC, making.in(0)},
       {DNNL_ARG_WEIGHTS, reordered(values.data_ptr(), plain, description.weights_desc(), making.engine)},
       {DNNL_ARG_BIAS, reordered(bias.data_ptr(), bias_description, bias_description, making.engine)},
       {DNNL_ARG_DST, making.out()}});
}

/// 8 bit: what the operands and their zero points come to in real numbers, in the steps of the result.
Step sum(Making& making) {
  const Operation& operation = making.operation;
  const auto& to = operation.out.quantization;
  if (to) {
    const float to_steps = 1 / to->scale;
    float real = 0;
    for (int i = 0; i < 2; ++i) {
      const Quantization& from = operation.in[static_cast<std::size_t>(i)].quantization.value();
      making.attributes.scale_operand(i == 0 ? DNNL_ARG_SRC_0 : DNNL_ARG_SRC_1, from.scale);
      real -= from.scale * static_cast<float>(from.zero_point);
    }
    making.attributes.multiply_and_add(to_steps, to_steps * real + static_cast<float>(to->zero_point));
  }
  making.attributes.cut(operation, to ? to->scale : 1);
  return binary(making, dnnl::algorithm::binary_add);
}

Step product(Making& making) {
  making.attributes.cut(making.operation, 1);
  return binary(making, dnnl::algorithm::binary_mul);
}

Step clamp(Making& making) {
  constexpr float largest = std::numeric_limits<float>::max();
  return eltwise(making, dnnl::algorithm::eltwise_clip, std::max(making.operation.least, -largest),
                 std::min(making.operation.most, largest));
}

Step convert(Making& making) {
  const auto& from = making.operation.in.front().quantization;
  const auto& to = making.operation.out.quantization;
  if (from) making.attributes.zero_point(DNNL_ARG_SRC, from->zero_point);
  if (to) making.attributes.zero_point(DNNL_ARG_DST, to->zero_point);
  making.attributes.scale_result(from ? from->scale : 1 / to->scale);
  const dnnl::reorder::primitive_desc description(making.engine, making.in(0).get_desc(), making.engine,
                                                  making.out().get_desc(), making.attributes.made());
  return making.step<dnnl::reorder>(description,
                                    {{DNNL_ARG_FROM, making.in(0)}, {DNNL_ARG_TO, making.out()}});
}

Step global_average(Making& making) {
  const Operation& operation = making.operation;
  if (operation.in.front().quantization != operation.out.quantization) {
    throw Unsupported("oneDNN: an average with another scale than its input's");
  }
  Window whole;
  whole.kernel = {static_cast<std::uint32_t>(operation.in.front().shape[1]),
                  static_cast<std::uint32_t>(operation.in.front().shape[2])};
  return pooling(making, dnnl::algorithm::pooling_avg_exclude_padding, whole);
}

}  // namespace

dnnl::memory::desc describe(const Value& value) {
  const auto side = [&](std::size_t i) { return static_cast<dnnl::memory::dim>(value.shape[i]); };
  return {{side(0), side(3), side(1), side(2)}, value.quantization ? Type::u8 : Type::f32, Format::nhwc};
}

Step make_step(const Operation& operation, const std::vector<dnnl::memory>& memory_of,
               const dnnl::engine& engine) {
  Making making{operation, memory_of, engine};
  switch (operation.kind) {
    case Kind::convolution:
      return convolution(making);
    case Kind::sum:
      return sum(making);
    case Kind::product:
      return product(making);
    case Kind::clamp:
      return clamp(making);
    case Kind::hardswish:
      return eltwise(making, dnnl::algorithm::eltwise_hardswish, 1.0f / 6, 0.5f);
    case Kind::sigmoid:
      return eltwise(making, dnnl::algorithm::eltwise_logistic, 0, 0);
    case Kind::convert:
      return convert(making);
    case Kind::max_pool:
      return pooling(making, dnnl::algorithm::pooling_max, operation.window);
    case Kind::global_average:
      return global_average(making);
    case Kind::concatenation:
      return concatenation(making);
  }
  throw Unsupported("an operation of no kind");
}

}  // namespace glimpse::onednn
