// A network as oneDNN will compute it: recorded first, so that what follows a convolution can be done within
// it.
#pragma once

#include <vector>

#include "inference/lowering/graph.hpp"

namespace glimpse::onednn {

using lowering::Output;
using lowering::Quantization;
using lowering::Shape;
using lowering::Unsupported;
using lowering::Value;
using lowering::Weights;
using lowering::Window;

enum class Kind {
  convolution,
  sum,
  product,
  clamp,
  hardswish,
  sigmoid,
  convert,
  max_pool,
  global_average,
  concatenation
};

struct Operation {
  Kind kind;
  std::vector<Value> in;
  Value out;
  float least = Output{}.least, most = Output{}.most;  // cut the real values of the result
  Window window{};                                     // convolution and max_pool alone
  Weights weights{};                                   // convolution alone
  /// Float convolution alone: it adds its result to this value, where that lies; `out` lies there, too.
  std::optional<Value> added{};
};

class Network : public lowering::Graph {
 public:
  Value input(const Shape& shape, const std::optional<Quantization>& quantization) override;
  void output(const Value& value) override { output_ = value; }
  Value constant(float number) override;

  Value convolution(const Value& in, const Window& window, const Weights& weights,
                    const Output& out) override;
  Value sum(const Value& a, const Value& b, const Output& out) override;
  Value product(const Value& a, const Value& b, const Output& out) override;
  Value clamp(const Value& in, float least, float most) override;
  Value hardswish(const Value& in) override;
  Value sigmoid(const Value& in) override;
  Value convert(const Value& in, const std::optional<Quantization>& to) override;
  Value max_pool(const Value& in, const Window& window, const Output& out) override;
  Value global_average(const Value& in, const Output& out) override;
  Value concatenation(const std::vector<Value>& parts, const Output& out) override;

  struct Constant {
    Value value;
    float number = 0;
  };

  /// Clamps and float sums that can be done within the convolution before them, are. Once, at the end.
  void fuse();

  [[nodiscard]] const Value& input() const { return input_; }
  [[nodiscard]] const Value& output() const { return output_; }
  [[nodiscard]] const std::vector<Operation>& operations() const { return operations_; }
  [[nodiscard]] const std::vector<Constant>& constants() const { return constants_; }
  [[nodiscard]] std::size_t values() const { return values_; }  // ids are smaller

 private:
  [[nodiscard]] Value make(const Shape& shape, const std::optional<Quantization>& quantization);
  Value record(Kind kind, std::vector<Value> in, const Output& out);
  [[nodiscard]] std::size_t uses(const Value& value) const;
  [[nodiscard]] Operation* maker_of(const Value& value);
  [[nodiscard]] bool clamp_within(const Operation& clamp);
  [[nodiscard]] bool add_within(const Operation& sum, const Value& kept, const Value& made);

  Value input_, output_;
  std::vector<Operation> operations_;  // each after what it needs
  std::vector<Constant> constants_;
  std::uint32_t values_ = 0;
};

}  // namespace glimpse::onednn
