#include "inference/onednn/runtime.hpp"

#include <algorithm>
#include <new>

#include "inference/onednn/memory_plan.hpp"

namespace glimpse::onednn {
namespace {

constexpr std::size_t alignment = 64;  // bytes: a cache line, and what AVX-512 loads at once

}  // namespace

void Runtime::Free::operator()(std::byte* memory) const {
  ::operator delete (memory, std::align_val_t{alignment});
}

void forbid_amx() {
#if defined(__x86_64__)
  (void)dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core_vnni);  // too late: stays as it is
#endif
}

Runtime::Runtime(const Network& network) try {
  memory_of_.resize(network.values());
  const auto give_memory = [&](const Value& value) {
    memory_of_[value.id] = dnnl::memory(describe(value), engine_, DNNL_MEMORY_NONE);
  };
  give_memory(network.input());
  input_ = memory_of_[network.input().id];
  for (const Network::Constant& constant : network.constants()) {
    dnnl::memory& memory = memory_of_[constant.value.id];
    memory = dnnl::memory(describe(constant.value), engine_);
    *static_cast<float*>(memory.get_data_handle()) = constant.number;
  }
  for (const Operation& operation : network.operations()) {
    if (operation.added) {
      memory_of_[operation.out.id] = memory_of_[operation.added->id];
    } else {
      give_memory(operation.out);
    }
    steps_.push_back(make_step(operation, memory_of_, engine_));
  }
  place(network);
} catch (const dnnl::error& error) {
  throw Unsupported(std::string("oneDNN cannot build the network of its operators: ") + error.what());
}

void Runtime::place(const Network& network) {
  const std::vector<Operation>& operations = network.operations();
  std::vector<Lifetime> lifetimes(network.values());
  std::vector<std::size_t> home(network.values());  // what is added to in place lives where it lay
  for (std::size_t step = 0; step < operations.size(); ++step) {
    const Operation& operation = operations[step];
    const std::size_t out = operation.out.id;
    home[out] = operation.added ? home[operation.added->id] : out;
    if (!operation.added) lifetimes[out] = {describe(operation.out).get_size(), step, step};
    lifetimes[home[out]].last = step;
    for (const Value& in : operation.in) lifetimes[home[in.id]].last = step;
  }
  lifetimes[home[network.output().id]].last = operations.size();

  const MemoryPlan plan = plan_memory(lifetimes, alignment);
  std::size_t scratchpad_bytes = 0;
  for (const Step& step : steps_) scratchpad_bytes = std::max(scratchpad_bytes, step.scratchpad_bytes);
  arena_.reset(static_cast<std::byte*>(
      ::operator new (plan.bytes + scratchpad_bytes + alignment, std::align_val_t{alignment})));
  for (const Operation& operation : operations) {
    if (!operation.added) {
      memory_of_[operation.out.id].set_data_handle(arena_.get() + plan.offsets[operation.out.id]);
    }
  }
  for (Step& step : steps_) {
    const dnnl::memory::desc bytes({static_cast<dnnl::memory::dim>(step.scratchpad_bytes)},
                                   dnnl::memory::data_type::u8, dnnl::memory::format_tag::x);
    if (step.scratchpad_bytes > 0) {
      step.arguments.emplace(DNNL_ARG_SCRATCHPAD, dnnl::memory(bytes, engine_, arena_.get() + plan.bytes));
    }
  }
  const dnnl::memory& output = memory_of_[network.output().id];
  output_ = {static_cast<const float*>(output.get_data_handle()),
             output.get_desc().get_size() / sizeof(float)};
}

// The input is read where it lies.
std::span<const float> Runtime::run(const std::byte* input) {
  input_.set_data_handle(const_cast<std::byte*>(input));
  for (const Step& step : steps_) step.primitive.execute(stream_, step.arguments);
  return output_;
}

}  // namespace glimpse::onednn
