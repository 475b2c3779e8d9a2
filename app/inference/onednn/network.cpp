#include "inference/onednn/network.hpp"

#include <algorithm>

namespace glimpse::onednn {

Value Network::make(const Shape& shape, const std::optional<Quantization>& quantization) {
  return {values_++, shape, quantization};
}

Value Network::record(Kind kind, std::vector<Value> in, const Output& out) {
  operations_.push_back({kind, std::move(in), make(out.shape, out.quantization), out.least, out.most});
  return operations_.back().out;
}

Value Network::input(const Shape& shape, const std::optional<Quantization>& quantization) {
  return input_ = make(shape, quantization);
}

Value Network::constant(float number) {
  constants_.push_back({make({1, 1, 1, 1}, std::nullopt), number});
  return constants_.back().value;
}

Value Network::convolution(const Value& in, const Window& window, const Weights& weights, const Output& out) {
  const Value result = record(Kind::convolution, {in}, out);
  operations_.back().window = window;
  operations_.back().weights = weights;
  return result;
}

// oneDNN widens its second operand alone.
Value Network::sum(const Value& a, const Value& b, const Output& out) {
  if (a.shape != out.shape && b.shape != out.shape) throw Unsupported("oneDNN widens one operand of a sum");
  return record(Kind::sum, a.shape == out.shape ? std::vector{a, b} : std::vector{b, a}, out);
}

// With zero points a product of 8-bit numbers is not one of their differences: it is taken in float.
Value Network::product(const Value& a, const Value& b, const Output& out) {
  if (a.shape != out.shape && b.shape != out.shape)
    throw Unsupported("oneDNN widens one operand of a product");
  const Value& whole = a.shape == out.shape ? a : b;
  const Value& other = a.shape == out.shape ? b : a;
  Output real = out;
  real.quantization.reset();
  return convert(record(Kind::product, {convert(whole, std::nullopt), convert(other, std::nullopt)}, real),
                 out.quantization);
}

// oneDNN cuts float alone.
Value Network::clamp(const Value& in, float least, float most) {
  const Value real = convert(in, std::nullopt);
  return convert(record(Kind::clamp, {real}, {in.shape, std::nullopt, least, most}), in.quantization);
}

Value Network::hardswish(const Value& in) {
  return record(Kind::hardswish, {in}, {in.shape, std::nullopt});
}

Value Network::sigmoid(const Value& in) {
  return record(Kind::sigmoid, {in}, {in.shape, std::nullopt});
}

Value Network::convert(const Value& in, const std::optional<Quantization>& to) {
  if (in.quantization == to) return in;
  if (in.quantization && to) return convert(convert(in, std::nullopt), to);
  return record(Kind::convert, {in}, {in.shape, to});
}

Value Network::max_pool(const Value& in, const Window& window, const Output& out) {
  const Value result = record(Kind::max_pool, {in}, out);
  operations_.back().window = window;
  return result;
}

Value Network::global_average(const Value& in, const Output& out) {
  return record(Kind::global_average, {in}, out);
}

Value Network::concatenation(const std::vector<Value>& parts, const Output& out) {
  return record(Kind::concatenation, parts, out);
}

namespace {

bool reads(const Operation& operation, const Value& value) {
  const auto is_it = [&](const Value& in) { return in.id == value.id; };
  return std::any_of(operation.in.begin(), operation.in.end(), is_it) ||
         (operation.added && is_it(*operation.added));
}

bool cuts(const Operation& operation) {
  return operation.least != Output{}.least || operation.most != Output{}.most;
}

}  // namespace

std::size_t Network::uses(const Value& value) const {
  const auto readers = std::count_if(operations_.begin(), operations_.end(),
                                     [&](const Operation& operation) { return reads(operation, value); });
  return static_cast<std::size_t>(readers) + (output_.id == value.id ? 1 : 0);
}

Operation* Network::maker_of(const Value& value) {
  const auto it = std::find_if(operations_.begin(), operations_.end(),
                               [&](const Operation& operation) { return operation.out.id == value.id; });
  return it == operations_.end() ? nullptr : &*it;
}

bool Network::clamp_within(const Operation& clamp) {
  Operation* const maker = maker_of(clamp.in.front());
  if (maker == nullptr || (maker->kind != Kind::convolution && maker->kind != Kind::sum)) return false;
  if (uses(maker->out) != 1) return false;
  maker->least = std::max(maker->least, clamp.least);
  maker->most = std::min(maker->most, clamp.most);
  maker->out = clamp.out;
  return true;
}

/// `made`, by a convolution, is added to `kept` in place: nobody else may want either of them afterwards.
bool Network::add_within(const Operation& sum, const Value& kept, const Value& made) {
  Operation* const maker = maker_of(made);
  const Operation* const keeper = maker_of(kept);
  if (maker == nullptr || keeper == nullptr || keeper >= maker || maker->kind != Kind::convolution ||
      maker->added || cuts(*maker) || uses(made) != 1 || reads(*maker, kept) || kept.shape != made.shape ||
      sum.out.quantization) {
    return false;
  }
  for (const Operation* later = maker; later <= &operations_.back(); ++later) {
    if (later != &sum && reads(*later, kept)) return false;
  }
  if (kept.id == output_.id) return false;
  maker->added = kept;
  maker->least = sum.least;
  maker->most = sum.most;
  maker->out = sum.out;
  return true;
}

void Network::fuse() {
  for (std::size_t i = 0; i < operations_.size();) {
    const Operation operation = operations_[i];
    const bool within = operation.kind == Kind::clamp ? clamp_within(operation)
                        : operation.kind == Kind::sum
                            ? add_within(operations_[i], operation.in[0], operation.in[1]) ||
                                  add_within(operations_[i], operation.in[1], operation.in[0])
                            : false;
    within ? static_cast<void>(operations_.erase(operations_.begin() + static_cast<std::ptrdiff_t>(i)))
           : static_cast<void>(++i);
  }
}

}  // namespace glimpse::onednn
