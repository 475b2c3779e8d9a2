#include "inference/xnnpack/runtime.hpp"

#include <pthreadpool.h>
#include <xnnpack.h>

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

Runtime::Runtime(const Subgraph& subgraph, const Shape& input, const Shape& output, int threads)
    : held_(subgraph.held()),
      buffers_(elements(input) + elements(output) + XNN_EXTRA_BYTES),
      input_(buffers_.data(), elements(input)),
      output_(buffers_.data() + elements(input), elements(output)),
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

void Runtime::run() {
  if (xnn_invoke_runtime(runtime_.get()) != xnn_status_success) {
    throw std::runtime_error("XNNPACK cannot run the network");
  }
}

}  // namespace glimpse::xnnpack
