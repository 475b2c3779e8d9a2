// A network as a list of oneDNN primitives, with the memory they work in.
#pragma once

#include <memory>
#include <vector>

#include "inference/lowering/runtime.hpp"
#include "inference/onednn/primitives.hpp"

namespace glimpse::onednn {

/// For the whole process, and only before oneDNN's first use in it: later it stays as it is. From any thread.
void forbid_amx();

class Runtime : public lowering::Runtime {
 public:
  /// For as many threads as OpenMP is set to. `network` has been fused. Throws Unsupported.
  explicit Runtime(const Network& network);

  std::span<const float> run(const std::byte* input) override;
  [[nodiscard]] at::ScalarType eight_bit() const override { return at::kQUInt8; }

 private:
  void place(const Network& network);

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::vector<dnnl::memory> memory_of_;  // by a value's id
  std::vector<Step> steps_;
  struct Free {
    void operator()(std::byte* memory) const;
  };
  std::unique_ptr<std::byte, Free> arena_;  // activations, then the scratchpad that all steps share
  dnnl::memory input_;
  std::span<const float> output_;
};

}  // namespace glimpse::onednn
