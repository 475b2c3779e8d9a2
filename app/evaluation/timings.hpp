// How fast one combination of precision and backend is.
#pragma once

#include <string>
#include <vector>

namespace glimpse {

struct Timings {
  double p50 = 0, p90 = 0, p99 = 0, min = 0;  // ms; nearest-rank percentiles
};

/// Of at least one time.
[[nodiscard]] Timings timings(std::vector<double> ms);

struct BenchResult {
  std::string model;
  bool quantized = false;
  std::string backend;
  int threads = 1;
  Timings network, preprocess;  // of all frames of all rounds
  double fps = 0;               // median over the rounds
  double model_mib = 0;         // of the model file
  double load_ms = 0;
  double peak_rss_mb = 0;  // MiB; of the process that ran this combination and nothing else
};

}  // namespace glimpse
