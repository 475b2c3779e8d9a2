// One oneDNN primitive for each operation. The two ways in which oneDNN 2 and 3 make a primitive stay in
// primitives.cpp.
#pragma once

#include "inference/onednn/attributes.hpp"

namespace glimpse::onednn {

struct Step {
  dnnl::primitive primitive;
  Arguments arguments;
  std::size_t scratchpad_bytes = 0;
};

[[nodiscard]] dnnl::memory::desc describe(const Value& value);  // NHWC; float or uint8

/// `memory_of`: where values lie, by id. Throws Unsupported where oneDNN has no kernel worth having.
[[nodiscard]] Step make_step(const Operation& operation, const std::vector<dnnl::memory>& memory_of,
                             const dnnl::engine& engine);

}  // namespace glimpse::onednn
