#include "inference/lowering/runtime.hpp"

#include <ATen/ATen.h>

namespace glimpse::lowering {
namespace {

class LoweredBackend : public Backend {
 public:
  LoweredBackend(const Lowered& lowered, std::unique_ptr<Runtime> runtime)
      : input_(lowered.input),
        output_(lowered.output),
        runtime_(std::move(runtime)),
        logits_(at::empty(lowered.output_sizes, at::kFloat)) {}

  [[nodiscard]] at::Tensor make_input() const override {
    const auto side = [&](std::size_t i) { return static_cast<std::int64_t>(input_.shape[i]); };
    const std::vector<std::int64_t> sizes{side(0), side(3), side(1), side(2)};
    const auto nhwc = at::MemoryFormat::ChannelsLast;
    if (!input_.quantization) return at::zeros(sizes, at::kFloat).contiguous(nhwc);
    const at::ScalarType type = runtime_->eight_bit();
    const auto [scale, zero_point] = *input_.quantization;
    return at::_empty_affine_quantized(sizes, at::TensorOptions(type), scale,
                                       type == at::kQUInt8 ? zero_point : zero_point - 128, nhwc);
  }

  at::Tensor run(const at::Tensor& input) override {
    if (input.sizes() != example_.sizes() || input.strides() != example_.strides() ||
        input.scalar_type() != example_.scalar_type()) {
      throw std::invalid_argument("the input is not as the network was compiled for");
    }
    const float* from = runtime_->run(static_cast<const std::byte*>(input.data_ptr())).data();
    auto* to = logits_.data_ptr<float>();
    const auto [batch, height, width, channels] = output_;
    const std::size_t pixels = height * width;
    for (std::size_t n = 0; n < batch; ++n, from += channels * pixels) {
      for (std::size_t channel = 0; channel < channels; ++channel) {
        for (std::size_t pixel = 0; pixel < pixels; ++pixel) *to++ = from[pixel * channels + channel];
      }
    }
    return logits_;
  }

 private:
  Value input_;
  Shape output_;
  std::unique_ptr<Runtime> runtime_;
  at::Tensor example_ = make_input();
  at::Tensor logits_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(const Lowered& lowered, std::unique_ptr<Runtime> runtime) {
  return std::make_unique<LoweredBackend>(lowered, std::move(runtime));
}

}  // namespace glimpse::lowering
