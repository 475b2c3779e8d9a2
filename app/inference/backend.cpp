#include "inference/backend.hpp"

#include <torch/csrc/jit/api/module.h>
#include <torch/version.h>

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "inference/classifier.hpp"
#include "inference/xnnpack/subgraph.hpp"
#include "inference/xnnpack/xnnpack_backend.hpp"

namespace glimpse {
namespace {

// With LibTorch 2.6 a module from optimize_for_inference hangs at its second call (Debian 13); 1.13 (Debian
// 12) is sound.
constexpr bool float_onednn_works = TORCH_VERSION_MAJOR < 2;

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
  explicit ScriptBackend(torch::jit::Module module) : module_(std::move(module)) {}
  at::Tensor run(const at::Tensor& input) override { return module_.forward({input}).toTensor(); }

 private:
  torch::jit::Module module_;
};

/// Those that leave the graph to LibTorch, the fastest last.
std::vector<std::string> libtorch_backends(bool quantized) {
  std::vector<std::string> backends{"torch"};
  if (quantized ? has_engine(at::QEngine::ONEDNN) : float_onednn_works && at::hasMKLDNN()) {
    backends.emplace_back("onednn");
  }
  return backends;
}

}  // namespace

std::vector<std::string> runnable_backends(bool quantized) {
  std::vector<std::string> backends = libtorch_backends(quantized);
  if (xnnpack::is_available()) backends.emplace_back("xnnpack");
  return backends;
}

std::string choose_backend(const std::string& asked, bool quantized) {
  const std::vector<std::string> runnable = runnable_backends(quantized);
  if (asked == "auto") {
    // On Arm oneDNN's int8 kernels are reference ones; QNNPACK, where LibTorch has it, and XNNPACK are not.
    if (quantized && is_arm && has_engine(at::QEngine::QNNPACK)) return "torch";
    if (quantized && is_arm && xnnpack::is_available()) return "xnnpack";
    return libtorch_backends(quantized).back();
  }
  if (std::find(runnable.begin(), runnable.end(), asked) != runnable.end()) return asked;
  std::string known = "auto";
  for (const std::string& backend : runnable) known += ", " + backend;
  throw Error(ExitCode::usage, "--backend " + asked + ": this build runs a" +
                                   (quantized ? "n int8" : " float") + " model on " + known);
}

at::QEngine choose_engine(const std::string& backend) {
  if (backend == "onednn") return at::QEngine::ONEDNN;
  const std::vector<at::QEngine> best_first =
      is_arm ? std::vector{at::QEngine::QNNPACK, at::QEngine::ONEDNN}
             : std::vector{at::QEngine::ONEDNN, at::QEngine::FBGEMM, at::QEngine::QNNPACK};
  for (const at::QEngine engine : best_first) {
    if (has_engine(engine)) return engine;
  }
  throw Error(ExitCode::bad_data, "this LibTorch has no engine for int8 models; run without --quantized");
}

CompiledModel make_backend(const std::string& backend, const torch::jit::Module& module, bool quantized,
                           const at::Tensor& example, int threads) {
  torch::jit::Module frozen = torch::jit::freeze(module);
  if (backend == "xnnpack") {
    try {
      return {make_xnnpack_backend(frozen, example, threads), backend, ""};
    } catch (const xnnpack::Unsupported& obstacle) {
      CompiledModel next =
          make_backend(libtorch_backends(quantized).back(), module, quantized, example, threads);
      next.fallback = "backend xnnpack cannot run this model, " + next.name + " does: " + obstacle.what();
      return next;
    }
  }
  if (backend == "onednn" && !quantized) frozen = torch::jit::optimize_for_inference(frozen);
  return {std::make_unique<ScriptBackend>(std::move(frozen)), backend, ""};
}

}  // namespace glimpse
