// Three threads side by side: one reads frames, one prepares them, one names what is in them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "capture/video_source.hpp"
#include "core/error.hpp"
#include "inference/classifier.hpp"
#include "pipeline/adaptation.hpp"
#include "pipeline/mailbox.hpp"
#include "pipeline/reporter.hpp"
#include "pipeline/slots.hpp"

namespace glimpse {

/// How a frame is named, in two steps, each in a thread of its own: while one frame is in the network, the
/// next one is prepared. A prepared frame lies in a slot; nobody else has that slot until it has been named.
struct Recognition {
  static constexpr std::size_t slots = 3;  // one in the network, one waiting for it, one being filled

  std::function<double(const Frame&, std::size_t slot)> prepare;  // gives the ms it took
  std::function<Classification(std::size_t slot, int top_k)> classify;
};

struct PipelineOptions {
  int top_k = 10;
  std::uint64_t frames = 0;  // stop after so many have been classified; 0: no limit
  bool realtime = false;     // pace a file by its own frame rate
  std::optional<RateRules>
      adapt;  // leave out frames of a live source that the machine cannot take; a file waits
};

/// How a run ended.
struct PipelineEnd {
  ExitCode code = ExitCode::ok;  // bad_data: the source broke; internal: one of the threads threw
  std::string reason;            // one line, where the code is not ok
};

class Pipeline {
 public:
  /// Starts the threads. `reporter` must outlive the pipeline.
  Pipeline(std::unique_ptr<VideoSource> source, Recognition recognition, Reporter& reporter,
           PipelineOptions options);
  /// Stops the threads and waits for them.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Waits until the source has ended and its last frame is classified, or `deadline`, or a stop. True: it
  /// has ended.
  [[nodiscard]] bool wait_until(Steady::time_point deadline, const std::stop_token& stop);
  /// How it ended; empty while it runs.
  [[nodiscard]] PipelineEnd end() const;

 private:
  struct Prepared {
    Slots::Slot slot;
    Frame frame;  // without its pixels
    double ms;
  };

  void capture(const std::stop_token& stop);
  void prepare(const std::stop_token& stop);
  void infer(const std::stop_token& stop);
  void fail(ExitCode code, const std::string& reason);

  const std::unique_ptr<VideoSource> source_;
  const Recognition recognition_;
  Reporter& reporter_;
  const PipelineOptions options_;
  Mailbox<Frame> frames_;
  Slots slots_{Recognition::slots};  // before what holds some of them
  Mailbox<Prepared> prepared_;

  mutable std::mutex mutex_;
  std::condition_variable_any ended_;
  bool done_ = false;
  PipelineEnd end_;

  std::jthread capture_thread_, prepare_thread_, inference_thread_;  // last: they use all of the above
};

}  // namespace glimpse
