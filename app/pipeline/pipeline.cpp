#include "pipeline/pipeline.hpp"

#include <spdlog/spdlog.h>

namespace glimpse {
namespace {

// A live source keeps one frame, the newest. A file may run a few frames ahead of the network, and waits.
constexpr std::size_t live_capacity = 1;
constexpr std::size_t file_capacity = 4;

}  // namespace

Pipeline::Pipeline(std::unique_ptr<VideoSource> source, Classify classify, Reporter& reporter,
                   PipelineOptions options)
    : source_(std::move(source)),
      classify_(std::move(classify)),
      reporter_(reporter),
      options_(options),
      mailbox_(source_->info().live ? live_capacity : file_capacity,
               source_->info().live ? Mailbox<Frame>::WhenFull::overwrite_oldest
                                    : Mailbox<Frame>::WhenFull::wait) {
  inference_thread_ = std::jthread([this](const std::stop_token& stop) { infer(stop); });
  capture_thread_ = std::jthread([this](const std::stop_token& stop) { capture(stop); });
}

Pipeline::~Pipeline() {
  capture_thread_.request_stop();
  inference_thread_.request_stop();
}

bool Pipeline::wait_until(Steady::time_point deadline, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  return ended_.wait_until(lock, stop, deadline, [&] { return done_; });
}

PipelineEnd Pipeline::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

void Pipeline::fail(ExitCode code, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  end_ = {code, reason};
}

void Pipeline::capture(const std::stop_token& stop) {
  try {
    const SourceInfo& info = source_->info();
    const bool paced = options_.realtime && !info.live && info.fps > 0;
    const auto start = Steady::now();
    std::uint64_t delivered = 0, next_index = 0;
    while (!stop.stop_requested()) {
      Frame frame;
      const ReadResult result = source_->read(frame);
      if (result.status == ReadStatus::end) break;
      if (result.status == ReadStatus::failed) {
        fail(ExitCode::bad_data, result.reason);
        break;
      }
      if (result.status != ReadStatus::frame) {
        if (result.status == ReadStatus::skipped) reporter_.picture_skipped();
        if (!result.reason.empty()) spdlog::warn("{}", result.reason);
        continue;
      }
      if (paced) {
        const auto due = start + std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(
                                     static_cast<double>(delivered) / info.fps));
        if (!sleep_until(stop, due)) break;
        frame.captured_at = Steady::now();
      }
      ++delivered;
      // A gap in a live source's index is frames that it dropped itself.
      const bool gap = info.live && frame.index > next_index;
      reporter_.frame_seen(gap ? frame.index - next_index : 0, Steady::now());
      next_index = frame.index + 1;
      const auto put = mailbox_.put(std::move(frame), stop);
      if (put == Mailbox<Frame>::Put::overwrote) reporter_.frame_dropped();
      if (put == Mailbox<Frame>::Put::stopped) break;
    }
  } catch (const std::exception& error) {
    fail(ExitCode::internal, error.what());
  }
  mailbox_.close();
}

void Pipeline::infer(const std::stop_token& stop) {
  try {
    std::uint64_t classified = 0;
    while (const std::optional<Frame> frame = mailbox_.take(stop)) {
      const Classification result = classify_(*frame, options_.top_k);
      reporter_.classified(*frame, result, Steady::now());
      if (++classified == options_.frames) break;
    }
  } catch (const std::exception& error) {
    fail(ExitCode::internal, error.what());
  }
  mailbox_.close();
  const std::lock_guard lock(mutex_);
  done_ = true;
  ended_.notify_all();
}

}  // namespace glimpse
