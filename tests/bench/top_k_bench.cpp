#include <benchmark/benchmark.h>

#include <cmath>

#include "inference/top_k.hpp"

using namespace glimpse;

namespace {

void top_10_of_1000_classes(benchmark::State& state) {
  std::vector<float> logits;
  std::vector<std::string> labels;
  for (int i = 0; i < 1000; ++i) {
    logits.push_back(10 * std::sin(static_cast<float>(i * i)));
    labels.push_back("the label of class " + std::to_string(i));
  }
  for (auto _ : state) benchmark::DoNotOptimize(top_k(logits, labels, 10));
}
BENCHMARK(top_10_of_1000_classes)->Unit(benchmark::kMicrosecond);

}  // namespace
