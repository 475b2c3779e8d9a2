#include "inference/lowering/operators.hpp"

namespace glimpse::lowering {

const Value& Call::live(std::size_t i) const {
  if (i >= arguments.size() || arguments[i].live.size() != 1 || !arguments[i].example.isTensor()) {
    refuse("its argument " + std::to_string(i + 1) + " is not a tensor that depends on the input");
  }
  return arguments[i].live.front();
}

const c10::IValue& Call::constant(std::size_t i) const {
  if (i >= arguments.size() || !arguments[i].live.empty()) {
    refuse("its argument " + std::to_string(i + 1) + " is not a constant");
  }
  return arguments[i].example;
}

bool Call::is_none(std::size_t i) const {
  return constant(i).isNone();
}

Axes Call::axes(std::size_t i) const {
  if (!constant(i).isIntList()) refuse("its argument " + std::to_string(i + 1) + " is not a list of numbers");
  const std::vector<std::int64_t> list = constant(i).toIntVector();
  if (list.empty() || list.size() > 2) refuse("it is not of two dimensions");
  for (const std::int64_t number : list) {
    if (number < 0 || number > std::numeric_limits<std::int32_t>::max()) refuse("a number is out of range");
  }
  return {static_cast<std::uint32_t>(list.front()), static_cast<std::uint32_t>(list.back())};
}

Output Call::output() const {
  return {shape_of(result, name), quantization_of(result, name)};
}

Lower find_operator(const std::string& name) {
  for (const Operators* operators :
       {&convolution_operators(), &elementwise_operators(), &pooling_operators()}) {
    if (const auto it = operators->find(name); it != operators->end()) return it->second;
  }
  return nullptr;
}

std::optional<Quantization> quantization(double scale, std::int64_t zero_point, at::ScalarType type) {
  if (type != at::kQUInt8 && type != at::kQInt8) return std::nullopt;
  return Quantization{static_cast<float>(scale),
                      static_cast<std::int32_t>(type == at::kQUInt8 ? zero_point : zero_point + 128)};
}

std::optional<Quantization> quantization_of(const at::Tensor& tensor, const std::string& name) {
  const at::ScalarType type = tensor.scalar_type();
  if (type == at::kFloat) return std::nullopt;
  if (at::isQIntType(type) && tensor.qscheme() == at::kPerTensorAffine) {
    if (const auto eight_bit = quantization(tensor.q_scale(), tensor.q_zero_point(), type)) return eight_bit;
  }
  throw Unsupported(name + " gives " + at::toString(type) + ", which cannot be lowered");
}

Shape shape_of(const at::Tensor& tensor, const std::string& name) {
  if (tensor.dim() != 4 && tensor.dim() != 2) {
    throw Unsupported(name + " gives a tensor of " + std::to_string(tensor.dim()) + " dimensions");
  }
  const auto side = [&](std::int64_t dim) {
    return dim < tensor.dim() ? static_cast<std::size_t>(tensor.size(dim)) : std::size_t{1};
  };
  return {side(0), side(2), side(3), side(1)};
}

}  // namespace glimpse::lowering
