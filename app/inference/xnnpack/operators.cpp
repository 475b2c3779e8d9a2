#include "inference/xnnpack/operators.hpp"

namespace glimpse::xnnpack {

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

std::optional<Quantization> quantization_of(const at::Tensor& tensor, const std::string& name) {
  const at::ScalarType type = tensor.scalar_type();
  if (type == at::kFloat) return std::nullopt;
  if ((type != at::kQUInt8 && type != at::kQInt8) || tensor.qscheme() != at::kPerTensorAffine) {
    throw Unsupported(name + " gives " + at::toString(type) + ", which XNNPACK does not compute");
  }
  const auto zero_point = static_cast<std::int32_t>(tensor.q_zero_point());
  return Quantization{static_cast<float>(tensor.q_scale()),
                      type == at::kQUInt8 ? zero_point - 128 : zero_point};
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

}  // namespace glimpse::xnnpack
