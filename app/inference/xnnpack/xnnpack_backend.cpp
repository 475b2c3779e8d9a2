#include "inference/xnnpack/xnnpack_backend.hpp"

#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/remove_mutation.h>

#include "inference/xnnpack/lowering.hpp"
#include "inference/xnnpack/runtime.hpp"

namespace glimpse {
namespace {

using xnnpack::Lowered;
using xnnpack::Unsupported;

class XnnpackBackend : public Backend {
 public:
  XnnpackBackend(const Lowered& lowered, const at::Tensor& example, int threads)
      : runtime_(lowered.subgraph, lowered.input, lowered.output, threads),
        input_sizes_(example.sizes().vec()),
        output_(lowered.output),
        output_sizes_(lowered.output_sizes) {}

  at::Tensor run(const at::Tensor& input) override {
    if (input.sizes() != at::IntArrayRef(input_sizes_) || input.scalar_type() != at::kFloat) {
      throw std::invalid_argument("the input is not of the shape that the network was compiled for");
    }
    take(input.contiguous());
    runtime_.run();
    return give();
  }

 private:
  void take(const at::Tensor& nchw) {
    const std::int64_t batch = nchw.size(0), channels = nchw.size(1), pixels = nchw.size(2) * nchw.size(3);
    const float* from = nchw.data_ptr<float>();
    float* to = runtime_.input().data();
    for (std::int64_t n = 0; n < batch; ++n, from += channels * pixels) {
      for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
        for (std::int64_t channel = 0; channel < channels; ++channel) *to++ = from[channel * pixels + pixel];
      }
    }
  }

  at::Tensor give() const {
    const auto [batch, height, width, channels] = output_;
    at::Tensor result = at::empty(output_sizes_, at::kFloat);
    auto* to = result.data_ptr<float>();
    const float* from = runtime_.output().data();
    const std::size_t pixels = height * width;
    for (std::size_t n = 0; n < batch; ++n, from += channels * pixels) {
      for (std::size_t channel = 0; channel < channels; ++channel) {
        for (std::size_t pixel = 0; pixel < pixels; ++pixel) *to++ = from[pixel * channels + channel];
      }
    }
    return result;
  }

  xnnpack::Runtime runtime_;
  std::vector<std::int64_t> input_sizes_;
  xnnpack::Shape output_;
  std::vector<std::int64_t> output_sizes_;
};

}  // namespace

std::unique_ptr<Backend> make_xnnpack_backend(const torch::jit::Module& frozen, const at::Tensor& example,
                                              int threads) {
  const c10::InferenceMode no_gradients;
  try {
    const auto graph = frozen.get_method("forward").graph()->copy();
    torch::jit::Inline(*graph);
    torch::jit::RemoveTensorMutation(graph);
    return std::make_unique<XnnpackBackend>(xnnpack::lower(*graph, example), example, threads);
  } catch (const c10::Error& error) {  // from LibTorch's own run of a graph that is not sound
    throw Unsupported(error.what_without_backtrace());
  }
}

}  // namespace glimpse
