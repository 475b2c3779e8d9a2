// A finished subgraph, ready to run, with its input and output buffers and its threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>
#include <vector>

#include "inference/xnnpack/subgraph.hpp"

struct pthreadpool;
struct xnn_runtime;

namespace glimpse::xnnpack {

class Runtime {
 public:
  /// `threads`: with the calling one; between two runs the others sleep.
  Runtime(const Subgraph& subgraph, const Shape& input, const Shape& output, int threads);

  [[nodiscard]] std::span<float> input() { return input_; }
  [[nodiscard]] std::span<const float> output() const { return output_; }
  void run();

 private:
  struct Delete {
    void operator()(pthreadpool* pool) const;
    void operator()(xnn_runtime* runtime) const;
  };
  std::vector<at::Tensor> held_;  // weights; the runtime points to them
  std::vector<float> buffers_;
  std::span<float> input_, output_;
  std::unique_ptr<pthreadpool, Delete> pool_;
  std::unique_ptr<xnn_runtime, Delete> runtime_;
};

}  // namespace glimpse::xnnpack
