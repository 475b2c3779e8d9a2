// Two threads side by side: one reads frames, one names what is in them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "capture/video_source.hpp"
#include "core/error.hpp"
#include "inference/classifier.hpp"
#include "pipeline/mailbox.hpp"
#include "pipeline/reporter.hpp"

namespace glimpse {

struct PipelineOptions {
  int top_k = 10;
  std::uint64_t frames = 0;  // stop after so many have been classified; 0: no limit
  bool realtime = false;     // pace a file by its own frame rate
};

/// How a run ended.
struct PipelineEnd {
  ExitCode code = ExitCode::ok;  // bad_data: the source broke; internal: reading or the network threw
  std::string reason;            // one line, where the code is not ok
};

class Pipeline {
 public:
  /// What names a frame: Classifier::classify, or a stand-in in tests.
  using Classify = std::function<Classification(const Frame&, int top_k)>;

  /// Starts both threads. `reporter` must outlive the pipeline.
  Pipeline(std::unique_ptr<VideoSource> source, Classify classify, Reporter& reporter,
           PipelineOptions options);
  /// Stops both threads and waits for them.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Waits until the source has ended and its last frame is classified, or `deadline`, or a stop. True: it
  /// has ended.
  [[nodiscard]] bool wait_until(Steady::time_point deadline, const std::stop_token& stop);
  /// How it ended; empty while it runs.
  [[nodiscard]] PipelineEnd end() const;

 private:
  void capture(const std::stop_token& stop);
  void infer(const std::stop_token& stop);
  void fail(ExitCode code, const std::string& reason);

  const std::unique_ptr<VideoSource> source_;
  const Classify classify_;
  Reporter& reporter_;
  const PipelineOptions options_;
  Mailbox<Frame> mailbox_;

  mutable std::mutex mutex_;
  std::condition_variable_any ended_;
  bool done_ = false;
  PipelineEnd end_;

  std::jthread capture_thread_, inference_thread_;  // last: they use all of the above
};

}  // namespace glimpse
