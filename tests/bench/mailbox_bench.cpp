#include <benchmark/benchmark.h>

#include <thread>

#include "pipeline/mailbox.hpp"

using namespace glimpse;

namespace {

/// An item goes to another thread and comes back: put and take, twice.
void mailbox_there_and_back(benchmark::State& state) {
  using Box = Mailbox<int>;
  Box there(1, Box::WhenFull::wait), back(1, Box::WhenFull::wait);
  const std::jthread other([&](const std::stop_token& stop) {
    while (const auto item = there.take(stop)) {
      if (back.put(*item, stop) != Box::Put::done) return;
    }
  });
  for (auto _ : state) {
    if (there.put(1, {}) != Box::Put::done) state.SkipWithError("the mailbox took nothing");
    benchmark::DoNotOptimize(back.take({}));
  }
}
BENCHMARK(mailbox_there_and_back)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
