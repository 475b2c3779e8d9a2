#include "inference/xnnpack/runtime.hpp"

#include <pthreadpool.h>
#include <xnnpack.h>

#include <algorithm>
#include <functional>
#include <numeric>

namespace glimpse::xnnpack {
namespace {

std::size_t elements(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

}  // namespace

void Runtime::Delete::operator()(pthreadpool* pool) const {
  pthreadpool_destroy(pool);
}

void Runtime::Delete::operator()(xnn_runtime* runtime) const {
  xnn_delete_runtime(runtime);
}

// XNNPACK may read XNN_EXTRA_BYTES beyond the end.
Runtime::Runtime(const Subgraph& subgraph, const Value& input, const Shape& output, int threads)
    : held_(subgraph.held()),
      input_(elements(input.shape) * (input.quantization ? 1 : sizeof(float)) + XNN_EXTRA_BYTES),
      input_bytes_(input_.size() - XNN_EXTRA_BYTES),
      output_(elements(output)),
      pool_(threads > 1 ? pthreadpool_create(static_cast<std::size_t>(threads)) : nullptr) {
  xnn_runtime_t runtime = nullptr;
  const xnn_status created =
      xnn_create_runtime_v2(subgraph.get(), pool_.get(), XNN_FLAG_YIELD_WORKERS, &runtime);
  runtime_.reset(runtime);
  const std::array<xnn_external_value, 2> ends{
      {{Subgraph::input_id, input_.data()}, {Subgraph::output_id, output_.data()}}};
  if (created != xnn_status_success ||
      xnn_setup_runtime(runtime, ends.size(), ends.data()) != xnn_status_success) {
    throw Unsupported("XNNPACK cannot build the network of its operators (status " + std::to_string(created) +
                      ")");
  }
}

// The input is copied: XNNPACK would have to be set up anew for each place that one lies at.
std::span<const float> Runtime::run(const std::byte* input) {
  std::copy_n(input, input_bytes_, input_.data());
  if (xnn_invoke_runtime(runtime_.get()) != xnn_status_success) {
    throw std::runtime_error("XNNPACK cannot run the network");
  }
  return output_;
}

}  // namespace glimpse::xnnpack
