// How a loaded module is run. Torch types: for inference/ alone.
#pragma once

#include <torch/script.h>

#include <memory>
#include <string>

namespace glimpse {

class Backend {
 public:
  virtual ~Backend() = default;
  /// A tensor [1, 3, height, width] for run() to read, as this backend wants it: float or 8 bit with its
  /// scale and zero point, in planes or channels last. There may be several.
  [[nodiscard]] virtual at::Tensor make_input() const = 0;
  /// Gives float logits [1, classes], which the next run may overwrite.
  [[nodiscard]] virtual at::Tensor run(const at::Tensor& input) = 0;
};

/// The engine that quantized operators shall use, chosen from at::globalContext().supportedQEngines().
/// LibTorch packs the weights for it while a module loads: set it before.
[[nodiscard]] at::QEngine choose_engine(const std::string& backend);

/// The whole graph on `library`, onednn or xnnpack. `frozen`: from torch::jit::freeze. `example`: float, an
/// input as all others will be. Throws lowering::Unsupported, naming the operator that is in the way.
[[nodiscard]] std::unique_ptr<Backend> lower_to(const std::string& library, const torch::jit::Module& frozen,
                                                const at::Tensor& example, int threads);

struct CompiledModel {
  std::unique_ptr<Backend> backend;
  std::string name;          // of the backend in use
  std::string fallback;      // why it is not the one asked for: the operator in the way; mostly empty
  bool interpreted = false;  // by LibTorch, operator by operator
};

/// Takes the module over. `backend`: one of runnable_backends(); where it cannot take the graph, the next
/// one does. `example`: an input as all others will be. `threads`: for backends with threads of their own.
[[nodiscard]] CompiledModel make_backend(const std::string& backend, const torch::jit::Module& module,
                                         bool quantized, const at::Tensor& example, int threads);

}  // namespace glimpse
