#include "inference/backend.hpp"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "inference/classifier.hpp"
#include "inference/onednn/runtime.hpp"
#include "inference/processor.hpp"
#include "inference/xnnpack/runtime.hpp"

namespace glimpse {
namespace {

#if defined(__aarch64__) || defined(__arm__)
constexpr bool is_arm = true;
#else
constexpr bool is_arm = false;
#endif

bool has_engine(at::QEngine engine) {
  const auto& engines = at::globalContext().supportedQEngines();
  return std::find(engines.begin(), engines.end(), engine) != engines.end();
}

/// The module's own graph, run by LibTorch's interpreter.
class ScriptBackend : public Backend {
 public:
  ScriptBackend(torch::jit::Module module, const at::Tensor& example)
      : module_(std::move(module)), sizes_(example.sizes().vec()) {
    // For the whole process. At a module's second call LibTorch 2.6 would have LLVM compile what it fuses,
    // which takes minutes for a DenseNet; Debian 12's has no LLVM and does not.
    torch::jit::setTensorExprFuserEnabled(false);
  }
  [[nodiscard]] at::Tensor make_input() const override { return at::zeros(sizes_, at::kFloat); }
  at::Tensor run(const at::Tensor& input) override { return module_.forward({input}).toTensor(); }

 private:
  torch::jit::Module module_;
  std::vector<std::int64_t> sizes_;
};

/// Whether LibTorch's own operators can run on oneDNN.
bool libtorch_has_onednn(bool quantized) {
  return quantized ? has_engine(at::QEngine::ONEDNN) && adds_int8_exactly() : at::hasMKLDNN();
}

}  // namespace

std::vector<std::string> runnable_backends(bool quantized) {
  const bool has_onednn = !quantized || libtorch_has_onednn(quantized);
  std::vector<std::string> backends{"torch"};
  if (has_onednn && is_arm) backends.emplace_back("onednn");
  if (xnnpack::is_available()) backends.emplace_back("xnnpack");
  if (has_onednn && !is_arm) backends.emplace_back("onednn");
  return backends;
}

at::QEngine choose_engine(const std::string& backend) {
  if (backend == "onednn") return at::QEngine::ONEDNN;
  const std::vector<at::QEngine> best_first =
      is_arm || !adds_int8_exactly()
          ? std::vector{at::QEngine::QNNPACK, at::QEngine::ONEDNN}
          : std::vector{at::QEngine::ONEDNN, at::QEngine::FBGEMM, at::QEngine::QNNPACK};
  for (const at::QEngine engine : best_first) {
    if (has_engine(engine)) return engine;
  }
  throw Error(ExitCode::bad_data, "this LibTorch has no engine for int8 models; run without --quantized");
}

std::unique_ptr<Backend> lower_to(const std::string& library, const torch::jit::Module& frozen,
                                  const at::Tensor& example, int threads) {
  const c10::InferenceMode no_gradients;
  if (library == "xnnpack") {
    xnnpack::Subgraph subgraph;
    const lowering::Lowered lowered = lowering::lower(frozen, example, subgraph);
    return lowering::make_backend(
        lowered, std::make_unique<xnnpack::Runtime>(subgraph, lowered.input, lowered.output, threads));
  }
  onednn::Network network;
  const lowering::Lowered lowered = lowering::lower(frozen, example, network);
  network.fuse();
  return lowering::make_backend(lowered, std::make_unique<onednn::Runtime>(network));
}

// A library that takes the whole graph, else the next one, else LibTorch's own operators one by one.
CompiledModel make_backend(const std::string& backend, const torch::jit::Module& module, bool quantized,
                           const at::Tensor& example, int threads) {
  torch::jit::Module frozen = torch::jit::freeze(module);
  std::string obstacles;
  bool reached = false;
  for (const std::string library : {"xnnpack", "onednn"}) {
    reached = reached || backend == library;
    if (!reached) continue;
    try {
      CompiledModel compiled{lower_to(library, frozen, example, threads), library, "", false};
      if (!obstacles.empty()) compiled.fallback = library + " runs this model, because" + obstacles;
      return compiled;
    } catch (const lowering::Unsupported& obstacle) {
      obstacles += (obstacles.empty() ? " " : "; ") + library + " cannot take it: " + obstacle.what();
    }
  }
  CompiledModel own{nullptr, "torch", "", true};
  if (!obstacles.empty()) {
    own.name = libtorch_has_onednn(quantized) ? "onednn" : "torch";
    own.fallback = "LibTorch's own operators run this model (" + own.name + "), because" + obstacles;
    if (own.name == "onednn" && !quantized) frozen = torch::jit::optimize_for_inference(frozen);
  }
  own.backend = std::make_unique<ScriptBackend>(std::move(frozen), example);
  return own;
}

}  // namespace glimpse
