// What works on each number for itself, and what only changes how numbers are arranged or written.
#include <ATen/ATen.h>

#include "inference/lowering/operators.hpp"

namespace glimpse::lowering {
namespace {

Value same(const Call& call) {
  return call.live(0);
}

/// NHWC is kept under a flattened tensor; who reads one (a linear layer, the end) knows how to.
Value flatten(const Call& call) {
  if (call.result.dim() != 2 || static_cast<std::size_t>(call.result.size(0)) != call.live(0).shape[0]) {
    call.refuse("only from [N,C,H,W] to [N,C*H*W]");
  }
  return call.live(0);
}

Value convert(const Call& call) {
  return call.graph.convert(call.live(0), quantization_of(call.result, call.name));
}

float number(const Call& call, std::size_t i, float otherwise) {
  if (call.is_none(i)) return otherwise;
  const c10::IValue& value = call.constant(i);
  if (!value.isScalar()) call.refuse("its limits are not numbers");
  return value.toScalar().to<float>();
}

template <int least, int most>
Value clamp_to(const Call& call) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  return call.graph.clamp(call.live(0), least, most == 0 ? infinity : most);
}

Value clamp(const Call& call) {
  const Output open;
  return call.graph.clamp(call.live(0), number(call, 1, open.least), number(call, 2, open.most));
}

/// Float operators serve int8 between two conversions, as LibTorch's own int8 ones compute it.
Value hardswish(const Call& call) {
  const Value real = call.graph.convert(call.live(0), std::nullopt);
  return call.graph.convert(call.graph.hardswish(real), quantization_of(call.result, call.name));
}

Value sigmoid(const Call& call) {
  const Value real = call.graph.convert(call.live(0), std::nullopt);
  return call.graph.convert(call.graph.sigmoid(real), quantization_of(call.result, call.name));
}

Value silu(const Call& call) {  // x times its sigmoid
  const Value real = call.graph.convert(call.live(0), std::nullopt);
  const Value product = call.graph.product(real, call.graph.sigmoid(real), {real.shape, std::nullopt});
  return call.graph.convert(product, quantization_of(call.result, call.name));
}

Value hardsigmoid(const Call& call) {  // max(0, min(1, x/6 + 1/2))
  const Value real = call.graph.convert(call.live(0), std::nullopt);
  const Value sixth = call.graph.product(real, call.graph.constant(1.0f / 6), {real.shape, std::nullopt});
  const Value cut = call.graph.sum(sixth, call.graph.constant(0.5f), {real.shape, std::nullopt, 0, 1});
  return call.graph.convert(cut, quantization_of(call.result, call.name));
}

Value operand(const Call& call, std::size_t i) {
  if (i < call.arguments.size() && !call.arguments[i].live.empty()) return call.live(i);
  const c10::IValue& value = call.constant(i);
  if (value.isScalar()) return call.graph.constant(value.toScalar().to<float>());
  if (value.isTensor() && value.toTensor().numel() == 1)
    return call.graph.constant(value.toTensor().item<float>());
  call.refuse("with a constant tensor");
}

/// Two operands that agree in each side or have a side of 1 there.
template <Value (Graph::*combine)(const Value&, const Value&, const Output&), bool relu>
Value two(const Call& call) {
  const Value a = operand(call, 0), b = operand(call, 1);
  Output out{{}, quantization_of(call.result, call.name)};
  if (relu) out.least = 0;
  std::size_t elements = 1;
  for (std::size_t i = 0; i < out.shape.size(); ++i) {
    if (a.shape[i] != b.shape[i] && a.shape[i] != 1 && b.shape[i] != 1) call.refuse("of different shapes");
    elements *= out.shape[i] = std::max(a.shape[i], b.shape[i]);
  }
  if (elements != static_cast<std::size_t>(call.result.numel())) call.refuse("of different dimensions");
  if (a.quantization.has_value() != out.quantization.has_value() ||
      b.quantization.has_value() != out.quantization.has_value()) {
    call.refuse("of float and int8 together");
  }
  return (call.graph.*combine)(a, b, out);
}

template <bool relu>
Value add(const Call& call) {
  const bool weighted = call.name.starts_with("aten::");
  if (weighted && call.constant(2).toScalar().toDouble() != 1) call.refuse("with alpha");
  return two<&Graph::sum, relu>(call);
}

Value cat(const Call& call) {
  const std::vector<Value>& parts = call.arguments[0].live;
  const std::int64_t dim = call.constant(1).toInt();
  const Output out = call.output();
  if (parts.size() < 2 || (dim < 0 ? dim + call.result.dim() : dim) != 1) call.refuse("only along channels");
  std::vector<Value> alike;
  for (const Value& part : parts) {
    const auto [batch, height, width, channels] = part.shape;
    if (Shape{batch, height, width, out.shape[3]} != out.shape ||
        part.quantization.has_value() != out.quantization.has_value()) {
      call.refuse("of different shapes");
    }
    alike.push_back(call.graph.convert(part, out.quantization));
  }
  return call.graph.concatenation(alike, out);
}

}  // namespace

const Operators& elementwise_operators() {
  static const Operators operators{
      {"aten::quantize_per_tensor", convert},
      {"aten::dequantize", convert},
      {"aten::dropout", same},
      {"aten::contiguous", same},
      {"aten::flatten", flatten},
      {"aten::reshape", flatten},
      {"aten::view", flatten},
      {"aten::relu", clamp_to<0, 0>},
      {"aten::relu6", clamp_to<0, 6>},
      {"quantized::relu6", clamp_to<0, 6>},
      {"aten::hardtanh", clamp},
      {"aten::clamp", clamp},
      {"aten::hardswish", hardswish},
      {"quantized::hardswish", hardswish},
      {"aten::hardsigmoid", hardsigmoid},
      {"aten::sigmoid", sigmoid},
      {"aten::silu", silu},
      {"aten::add", add<false>},
      {"quantized::add", add<false>},
      {"quantized::add_relu", add<true>},
      {"aten::mul", two<&Graph::product, false>},
      {"quantized::mul", two<&Graph::product, false>},
      {"quantized::mul_relu", two<&Graph::product, true>},
      {"aten::cat", cat},
      {"quantized::cat", cat},
  };
  return operators;
}

}  // namespace glimpse::lowering
