#include <benchmark/benchmark.h>

#include "telemetry/record.hpp"

using namespace glimpse;

namespace {

void record_to_json(benchmark::State& state) {
  Record record;
  record.hostname = "rpiedge";
  record.device = "rpiedge-1";
  record.boot = "4f7c2a9e-0d1b-4c6e-9a77-1f0e5b3d2c81";
  record.seq = 1234;
  record.time_ms = 1732262400123;
  record.model = {"mobilenet_v2", true, "xnnpack", std::string(64, 'a')};
  record.capture_fps = 36.0;
  record.inference_fps = 29.8;
  record.frame_age_ms = 9.1;
  record.preprocess_ms = 0.3;
  record.inference_ms = Percentiles{3.0, 3.2, 4.1};
  for (int i = 0; i < 10; ++i) record.predictions.push_back({i, "traffic light, traffic signal", 0.093});
  record.system.cpu_percent = 12.5;
  record.system.per_core = {10, 15, 12, 13};
  record.system.heat.throttled = {"under-voltage"};
  for (auto _ : state) benchmark::DoNotOptimize(to_json(record));
}
BENCHMARK(record_to_json)->Unit(benchmark::kMicrosecond);

}  // namespace
