// One combination of precision and backend, measured in a process of its own: its peak memory is its own, and
// what a library decides once in a process (oneDNN its instruction set) it decides for this combination.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>

#include "core/child_process.hpp"
#include "inference/classifier.hpp"

namespace glimpse {

struct BenchJob {
  ClassifierOptions model;
  std::string source;  // empty: a still of the test pattern
  int frames = 1;      // in a round
};

class BenchWorker {
 public:
  /// Starts the process, which waits.
  BenchWorker(const BenchJob& job, const std::stop_token& stop);

  /// Lets it do its next piece of work, first load the model, then a round each time, and gives what it
  /// tells: load: model, backend, threads, model_mib, load_ms; round: network_ms and preprocess_ms of each
  /// frame, fps, peak_rss_mb. Throws the Error that came up there, Error(interrupted) after a stop.
  [[nodiscard]] nlohmann::json next();

 private:
  std::stop_token stop_;
  ChildProcess process_;
};

}  // namespace glimpse
