#include "pipeline/pipeline.hpp"

#include <spdlog/spdlog.h>

#include "capture/frame_pool.hpp"
#include "capture/frame_tap.hpp"

namespace glimpse {
namespace {

// A live source keeps one frame, the newest. A file may run a few frames ahead, because some take longer to
// decode than others, and waits.
constexpr std::size_t live_capacity = 1;
constexpr std::size_t file_capacity = 4;
// Prepared frames between the two steps. Here, too, the newest of a live source wins, so that it is no older
// than the network's work on the one before; those of a file wait.
constexpr std::size_t prepared_capacity = 1;
static_assert(Recognition::slots == prepared_capacity + 2);
static_assert(FramePool::capacity >= 1 + file_capacity + Recognition::slots + FrameTap::holds);

template <class Box>
typename Box::WhenFull when_full(const VideoSource& source) {
  return source.info().live ? Box::WhenFull::overwrite_oldest : Box::WhenFull::wait;
}

}  // namespace

Pipeline::Pipeline(std::unique_ptr<VideoSource> source, Recognition recognition, Reporter& reporter,
                   const SharedSettings& live, PipelineOptions options)
    : source_(std::move(source)),
      recognition_(std::move(recognition)),
      reporter_(reporter),
      live_(live),
      options_(options),
      frames_(source_->info().live ? live_capacity : file_capacity, when_full<Mailbox<Frame>>(*source_)),
      prepared_(prepared_capacity, when_full<Mailbox<Prepared>>(*source_)) {
  inference_thread_ = std::jthread([this](const std::stop_token& stop) { infer(stop); });
  prepare_thread_ = std::jthread([this](const std::stop_token& stop) { prepare(stop); });
  capture_thread_ = std::jthread([this](const std::stop_token& stop) { capture(stop); });
}

Pipeline::~Pipeline() {
  capture_thread_.request_stop();
  prepare_thread_.request_stop();
  inference_thread_.request_stop();
}

bool Pipeline::wait_until(Steady::time_point deadline, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  ended_.wait_until(lock, stop, deadline, [&] { return done_ || woken_; });
  woken_ = false;
  return done_;
}

void Pipeline::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  ended_.notify_all();
}

std::vector<std::shared_ptr<const Pulse>> Pipeline::pulses() const {
  return {capturing_, preparing_, inferring_};
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
    std::optional<Adaptation> adaptation;
    if (options_.adapt && info.live) adaptation.emplace(reporter_, *options_.adapt);
    while (!stop.stop_requested()) {
      reporter_.look(Steady::now());
      if (adaptation) adaptation->look(Steady::now());
      Frame frame;
      capturing_->beat_once();
      const ReadResult result = source_->read(frame);
      if (result.status != ReadStatus::stuck) capturing_->rest();
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
      if (adaptation && !adaptation->takes(frame.captured_at)) {
        reporter_.frame_left_out();
        continue;
      }
      const auto put = frames_.put(std::move(frame), stop);
      if (put == Mailbox<Frame>::Put::overwrote) reporter_.frame_dropped();
      if (put == Mailbox<Frame>::Put::stopped) break;
    }
  } catch (const std::exception& error) {
    fail(ExitCode::internal, error.what());
  }
  capturing_->rest();
  frames_.close();
}

void Pipeline::prepare(const std::stop_token& stop) {
  try {
    while (std::optional<Slots::Slot> slot = slots_.take(stop)) {
      std::optional<Frame> frame = frames_.take(stop);
      if (!frame) break;
      if (options_.tap != nullptr) options_.tap->offer(*frame);
      const double ms = [&] {
        const Step step(*preparing_);
        return recognition_.prepare(*frame, slot->number());
      }();
      frame->image.release();  // nobody needs the pixels any more, and the source can use them again
      const auto put = prepared_.put({std::move(*slot), std::move(*frame), ms}, stop);
      if (put == Mailbox<Prepared>::Put::overwrote) reporter_.frame_dropped();
      if (put == Mailbox<Prepared>::Put::stopped) break;
    }
  } catch (const std::exception& error) {
    fail(ExitCode::internal, error.what());
  }
  frames_.close();
  prepared_.close();
}

void Pipeline::infer(const std::stop_token& stop) {
  try {
    std::uint64_t classified = 0;
    while (const std::optional<Prepared> next = prepared_.take(stop)) {
      const Step step(*inferring_);  // to the sink and to the end of the loop's body
      Classification result = recognition_.classify(next->slot.number(), live_.get().top_k);
      result.preprocess_ms += next->ms;
      reporter_.classified(next->frame, result, Steady::now());
      if (++classified == options_.frames) break;
    }
  } catch (const std::exception& error) {
    fail(ExitCode::internal, error.what());
  }
  frames_.close();
  prepared_.close();
  const std::lock_guard lock(mutex_);
  done_ = true;
  ended_.notify_all();
}

}  // namespace glimpse
