// A finished subgraph, ready to run, with its input and output buffers and its threads.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "inference/lowering/runtime.hpp"
#include "inference/xnnpack/subgraph.hpp"

struct pthreadpool;
struct xnn_runtime;

namespace glimpse::xnnpack {

class Runtime : public lowering::Runtime {
 public:
  /// `output`: of float. `threads`: with the calling one; between two runs the others sleep.
  Runtime(const Subgraph& subgraph, const Value& input, const Shape& output, int threads);

  std::span<const float> run(const std::byte* input) override;
  [[nodiscard]] at::ScalarType eight_bit() const override { return at::kQInt8; }

 private:
  struct Delete {
    void operator()(pthreadpool* pool) const;
    void operator()(xnn_runtime* runtime) const;
  };
  std::vector<at::Tensor> held_;  // weights; the runtime points to them
  std::vector<std::byte> input_;
  std::size_t input_bytes_;
  std::vector<float> output_;
  std::unique_ptr<pthreadpool, Delete> pool_;
  std::unique_ptr<xnn_runtime, Delete> runtime_;
};

}  // namespace glimpse::xnnpack
