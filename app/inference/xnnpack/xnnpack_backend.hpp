// The backend that runs a network on XNNPACK.
#pragma once

#include "inference/backend.hpp"

namespace glimpse {

/// `frozen`: from torch::jit::freeze. `example`: an input as all others will be. Throws xnnpack::Unsupported
/// with the operator that is in the way.
[[nodiscard]] std::unique_ptr<Backend> make_xnnpack_backend(const torch::jit::Module& frozen,
                                                            const at::Tensor& example, int threads);

}  // namespace glimpse
