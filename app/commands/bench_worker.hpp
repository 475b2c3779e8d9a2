// One combination of precision and backend, measured in a process of its own: its peak memory is its own, and
// what a library decides once in a process (oneDNN its instruction set) it decides for this combination.
#pragma once

#include <sys/types.h>

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "inference/classifier.hpp"

namespace glimpse {

struct BenchJob {
  ClassifierOptions model;
  std::string source;  // empty: a still of the test pattern
  int frames = 1;      // in a round
};

class BenchWorker {
 public:
  /// Starts the process, which waits. Before any thread of LibTorch or OpenCV runs here: they do not survive
  /// a fork. A stop kills it.
  BenchWorker(const BenchJob& job, const std::stop_token& stop);
  ~BenchWorker();
  BenchWorker(const BenchWorker&) = delete;
  BenchWorker& operator=(const BenchWorker&) = delete;

  /// Lets it do its next piece of work, first load the model, then a round each time, and gives what it
  /// tells: load: model, backend, threads, model_mib, load_ms; round: network_ms and preprocess_ms of each
  /// frame, fps, peak_rss_mb. Throws the Error that came up there, Error(interrupted) after a stop.
  [[nodiscard]] nlohmann::json next();

 private:
  std::stop_token stop_;
  pid_t pid_ = 0;
  int go_ = -1, reply_ = -1;  // pipes to it and from it
  std::optional<std::stop_callback<std::function<void()>>> kill_on_stop_;
};

}  // namespace glimpse
