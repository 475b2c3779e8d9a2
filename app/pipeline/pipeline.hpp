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
#include <vector>

#include "capture/video_source.hpp"
#include "core/error.hpp"
#include "core/live_settings.hpp"
#include "core/pulse.hpp"
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

class FrameTap;

struct PipelineOptions {
  std::uint64_t frames = 0;  // stop after so many have been classified; 0: no limit
  bool realtime = false;     // pace a file by its own frame rate
  std::optional<RateRules>
      adapt;                // leave out frames of a live source that the machine cannot take; a file waits
  FrameTap* tap = nullptr;  // is offered each frame that is about to be named; must outlive the pipeline
};

/// How a run ended.
struct PipelineEnd {
  ExitCode code = ExitCode::ok;  // bad_data: the source broke; internal: one of the threads threw
  std::string reason;            // one line, where the code is not ok
};

class Pipeline {
 public:
  /// Starts the threads. `reporter` and `live` must outlive the pipeline.
  Pipeline(std::unique_ptr<VideoSource> source, Recognition recognition, Reporter& reporter,
           const SharedSettings& live, PipelineOptions options);
  /// Stops the threads and waits for them.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Waits until the source has ended and its last frame is classified, or `deadline`, or a stop, or wake().
  /// True: it has ended.
  [[nodiscard]] bool wait_until(Steady::time_point deadline, const std::stop_token& stop);
  /// Ends the wait in progress, or the next one, before its time.
  void wake();
  /// Of the threads, in the order of a frame's way.
  [[nodiscard]] std::vector<std::shared_ptr<const Pulse>> pulses() const;
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
  const SharedSettings& live_;
  const PipelineOptions options_;
  Mailbox<Frame> frames_;
  Slots slots_{Recognition::slots};  // before what holds some of them
  Mailbox<Prepared> prepared_;

  mutable std::mutex mutex_;
  std::condition_variable_any ended_;
  bool done_ = false, woken_ = false;
  PipelineEnd end_;

  const std::shared_ptr<Pulse> capturing_ = std::make_shared<Pulse>("capture"),
                               preparing_ = std::make_shared<Pulse>("prepare"),
                               inferring_ = std::make_shared<Pulse>("inference");

  std::jthread capture_thread_, prepare_thread_, inference_thread_;  // last: they use all of the above
};

}  // namespace glimpse
