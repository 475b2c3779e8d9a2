#include "inference/lowering/lowering.hpp"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/remove_mutation.h>
#include <torch/csrc/jit/runtime/operator.h>

#include "inference/lowering/operators.hpp"

namespace glimpse::lowering {
namespace {

namespace jit = torch::jit;

class Walk {
 public:
  explicit Walk(Graph& made) : made_(made) {}

  void set(const jit::Value* value, const Computed& computed) { computed_[value] = computed; }
  [[nodiscard]] const Computed& get(const jit::Value* value) const {
    const auto it = computed_.find(value);
    if (it == computed_.end())
      throw Unsupported("the graph uses " + value->debugName() + " before it is made");
    return it->second;
  }
  void block(const jit::Block& block) {
    for (const jit::Node* node : block.nodes()) visit(*const_cast<jit::Node*>(node));
  }

 private:
  void visit(jit::Node& node);
  void branch(const jit::Node& node);
  void list(const jit::Node& node, const std::vector<Computed>& arguments);
  void call(jit::Node& node, const std::vector<Computed>& arguments);

  Graph& made_;
  std::unordered_map<const jit::Value*, Computed> computed_;
};

jit::Stack examples(const std::vector<Computed>& arguments) {
  jit::Stack stack;
  for (const Computed& argument : arguments) stack.push_back(argument.example);
  return stack;
}

void Walk::visit(jit::Node& node) {
  if (node.kind() == c10::prim::Constant) {
    const auto constant = jit::toIValue(node.output());
    if (!constant) throw Unsupported("a constant of unknown type");
    return set(node.output(), {*constant, {}});
  }
  if (node.kind() == c10::prim::If) return branch(node);
  std::vector<Computed> arguments;
  for (const jit::Value* input : node.inputs()) arguments.push_back(get(input));
  node.kind() == c10::prim::ListConstruct ? list(node, arguments) : call(node, arguments);
}

/// Only the branch that the example takes: it depends on shapes alone, and those are fixed.
void Walk::branch(const jit::Node& node) {
  const jit::Block& taken = *node.blocks().at(get(node.input()).example.toBool() ? 0 : 1);
  block(taken);
  for (std::size_t i = 0; i < node.outputs().size(); ++i) set(node.outputs()[i], get(taken.outputs()[i]));
}

void Walk::list(const jit::Node& node, const std::vector<Computed>& arguments) {
  Computed made;
  for (const Computed& argument : arguments) {
    made.live.insert(made.live.end(), argument.live.begin(), argument.live.end());
  }
  if (!made.live.empty() && made.live.size() != arguments.size()) {
    throw Unsupported("a list of constants together with what depends on the input");
  }
  c10::impl::GenericList elements(node.output()->type()->expectRef<c10::ListType>().getElementType());
  for (const Computed& argument : arguments) elements.push_back(argument.example);
  made.example = elements;
  set(node.output(), made);
}

void Walk::call(jit::Node& node, const std::vector<Computed>& arguments) {
  const std::string name = node.kind().toQualString();
  const bool is_live =
      std::any_of(arguments.begin(), arguments.end(), [](const Computed& c) { return !c.live.empty(); });
  // What asks for a shape alone has an answer that holds for every input.
  const bool asks_shape = name == "aten::size" || name == "aten::dim";
  const Lower lower = is_live && !asks_shape ? find_operator(name) : nullptr;
  if (node.maybeOperator() == nullptr || (is_live && !asks_shape && lower == nullptr)) {
    throw Unsupported(name + " is not among the operators that can be lowered");
  }
  jit::Stack stack = examples(arguments);
  node.getOperation()(stack);
  if (stack.size() != node.outputs().size()) throw Unsupported(name + " gives more than it should");
  if (lower != nullptr) {
    if (stack.size() != 1 || !stack[0].isTensor()) throw Unsupported(name + " does not give a tensor");
    const Value value = lower({made_, name, arguments, stack[0].toTensor()});
    return set(node.output(), {stack[0], {value}});
  }
  for (std::size_t i = 0; i < stack.size(); ++i) set(node.outputs()[i], {stack[i], {}});
}

/// What the network does first with its input, where that is to quantize it and nothing else.
std::optional<Quantization> quantization_at_once(const jit::Value& input) {
  if (input.uses().size() != 1) return std::nullopt;
  const jit::Node& node = *input.uses().front().user;
  if (node.kind() != c10::Symbol::fromQualString("aten::quantize_per_tensor")) return std::nullopt;
  const auto scale = jit::toIValue(node.input(1)), zero_point = jit::toIValue(node.input(2)),
             type = jit::toIValue(node.input(3));
  if (!scale || !zero_point || !type || !scale->isDouble()) return std::nullopt;
  return quantization(scale->toDouble(), zero_point->toInt(), type->toScalarType());
}

}  // namespace

Lowered lower(const torch::jit::Module& frozen, const at::Tensor& example, Graph& into) try {
  const auto graph = frozen.get_method("forward").graph()->copy();
  jit::Inline(*graph);
  jit::RemoveTensorMutation(graph);
  if (graph->inputs().size() != 2 || graph->outputs().size() != 1) {
    throw Unsupported("the network does not map one tensor to one tensor");
  }
  const jit::Value* const input = graph->inputs()[1];
  Lowered lowered;
  lowered.input = into.input(shape_of(example, "the input"), quantization_at_once(*input));
  Walk walk(into);
  walk.set(input, {example, {lowered.input}});
  walk.block(*graph->block());
  const Computed& end = walk.get(graph->outputs()[0]);
  if (end.live.size() != 1 || !end.example.isTensor())
    throw Unsupported("the output does not depend on the input");
  if (end.live.front().quantization) throw Unsupported("the network's output is not dequantized");
  lowered.output = end.live.front().shape;
  lowered.output_sizes = end.example.toTensor().sizes().vec();
  into.output(end.live.front());
  return lowered;
} catch (const c10::Error& error) {  // from LibTorch's own run of a graph that is not sound
  throw Unsupported(error.what_without_backtrace());
}

}  // namespace glimpse::lowering
