// A compiled network and the Backend that it is.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "inference/backend.hpp"
#include "inference/lowering/lowering.hpp"

namespace glimpse::lowering {

class Runtime {
 public:
  virtual ~Runtime() = default;
  /// `input`: NHWC, float, or 8 bit where the network begins so. Gives NHWC floats that the next run
  /// overwrites.
  virtual std::span<const float> run(const std::byte* input) = 0;
  /// at::kQUInt8 or at::kQInt8: how it wants 8 bit.
  [[nodiscard]] virtual at::ScalarType eight_bit() const = 0;
};

[[nodiscard]] std::unique_ptr<Backend> make_backend(const Lowered& lowered, std::unique_ptr<Runtime> runtime);

}  // namespace glimpse::lowering
