// How a loaded module is run. Torch types: for inference/ alone.
#pragma once

#include <torch/script.h>

#include <memory>
#include <string>

namespace glimpse {

class Backend {
 public:
  virtual ~Backend() = default;
  /// `input`: float [1, 3, height, width]; gives float logits [1, classes].
  [[nodiscard]] virtual at::Tensor run(const at::Tensor& input) = 0;
};

/// What `auto` means for this machine and this LibTorch, or `asked` where this build has it (else
/// Error(usage)).
[[nodiscard]] std::string choose_backend(const std::string& asked, bool quantized);

/// The engine that quantized operators shall use, chosen from at::globalContext().supportedQEngines().
/// LibTorch packs the weights for it while a module loads: set it before.
[[nodiscard]] at::QEngine choose_engine(const std::string& backend);

struct CompiledModel {
  std::unique_ptr<Backend> backend;
  std::string name;      // of the backend in use
  std::string fallback;  // why it is not the one asked for: the operator in the way; mostly empty
};

/// Takes the module over. `backend`: as choose_backend() gave it; where it cannot take the graph, the next
/// one does. `example`: an input as all others will be. `threads`: for backends with threads of their own.
[[nodiscard]] CompiledModel make_backend(const std::string& backend, const torch::jit::Module& module,
                                         bool quantized, const at::Tensor& example, int threads);

}  // namespace glimpse
