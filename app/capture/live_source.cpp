#include "capture/live_source.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <opencv2/core.hpp>
#include <random>
#include <utility>

#include "core/error.hpp"
#include "core/waiting.hpp"

namespace glimpse {
namespace {

constexpr std::size_t most_set_aside = 3;

std::function<double()> or_real(std::function<double()> random01) {
  if (random01) return random01;
  return [engine = std::mt19937(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0, 1)(engine);
  };
}

std::string seconds(Steady::duration time) {
  const double s = std::chrono::duration<double>(time).count();
  return cv::format(s < 10 ? "%.2g s" : "%.0f s", s);
}

}  // namespace

/// What a reading thread shares with its LiveSource. The slot holds one frame; a newer one replaces it.
struct LiveSource::Reader {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Frame> slot;
  std::uint64_t delivered = 0;  // frames so far, those replaced included
  Steady::time_point alive_at;  // start, opening, last frame
  bool opened = false, ended = false;
  bool abandoned = false;  // LiveSource wants no more of it
  std::string reason;      // once ended: why

  /// `source` is empty where `open` is to be called. Touches nothing but this object: it may outlive the
  /// LiveSource.
  void run(std::unique_ptr<VideoSource> source, const SourceFactory& open) {
    std::string why;
    try {
      if (!source) source = open();
      if (!source) throw std::runtime_error("nothing to open");
      if (note_opened()) why = read_all(*source);
    } catch (const std::exception& error) {
      why = error.what();
    } catch (...) {
      why = "unknown error";
    }
    try {
      source.reset();  // before `ended`: the device must be free when it is opened again
    } catch (...) {
    }
    const std::lock_guard lock(mutex);
    reason = why;
    ended = true;
    changed.notify_all();
  }

 private:
  bool note_opened() {
    const std::lock_guard lock(mutex);
    opened = true;
    alive_at = Steady::now();
    return !abandoned;
  }

  std::string read_all(VideoSource& source) {
    for (;;) {
      Frame frame;
      const ReadResult result = source.read(frame);
      const bool usable = frame.image.type() == CV_8UC3 && !frame.image.empty();
      const std::lock_guard lock(mutex);
      if (abandoned) return {};
      if (result.status == ReadStatus::end) return "the stream has ended";
      if (result.status == ReadStatus::failed) return result.reason;
      if (result.status != ReadStatus::frame) continue;
      if (!usable) return "gives pictures without pixels, or of an unknown format";
      frame.index = delivered++;
      alive_at = Steady::now();
      slot = std::move(frame);
      changed.notify_all();
    }
  }
};

std::unique_ptr<VideoSource> open_unless_stopped(const SourceFactory& open, const std::stop_token& stop,
                                                 std::chrono::milliseconds limit) {
  struct Opening {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_ptr<VideoSource> source;
    std::exception_ptr error;
    bool done = false;
  };
  const auto opening = std::make_shared<Opening>();
  std::thread thread([opening, open] {
    std::unique_ptr<VideoSource> source;
    std::exception_ptr error;
    try {
      source = open();
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(opening->mutex);
    opening->source = std::move(source);
    opening->error = std::move(error);
    opening->done = true;
    opening->changed.notify_all();
  });
  std::unique_lock lock(opening->mutex);
  const bool done = opening->changed.wait_for(lock, stop, limit, [&] { return opening->done; });
  lock.unlock();
  if (!done) {
    thread.detach();  // stuck in a driver or on the network, as ~LiveSource explains
    if (stop.stop_requested()) return nullptr;
    throw Error(ExitCode::no_source, "nothing came within " + seconds(limit) + " of opening");
  }
  thread.join();
  if (opening->error) std::rethrow_exception(opening->error);
  return std::move(opening->source);
}

LiveSource::LiveSource(std::string name, std::unique_ptr<VideoSource> first, SourceFactory reopen,
                       LiveLimits limits)
    : name_(std::move(name)),
      reopen_(std::move(reopen)),
      limits_(std::move(limits)),
      info_(first->info()),
      backoff_(limits_.backoff_base, limits_.backoff_cap, or_real(limits_.random01)) {
  info_.live = true;
  start(std::move(first));
}

LiveSource::~LiveSource() {
  if (current_) set_aside_.push_back(std::move(*current_));
  for (Running& running : set_aside_) {
    const std::lock_guard lock(running.reader->mutex);
    running.reader->abandoned = true;
  }
  const auto until = Steady::now() + limits_.leave;
  for (Running& running : set_aside_) {
    std::unique_lock lock(running.reader->mutex);
    const bool ended = running.reader->changed.wait_until(lock, until, [&] { return running.reader->ended; });
    lock.unlock();
    ended ? running.thread.join() : running.thread.detach();
  }
}

ReadResult LiveSource::read(Frame& frame) {
  const auto until = Steady::now() + limits_.poll;
  join_returned();
  if (!current_) {
    ReadResult waited = wait_to_reopen(until);
    if (!current_) return waited;
  }
  Reader& reader = *current_->reader;
  std::unique_lock lock(reader.mutex);
  const auto patience = reader.opened ? limits_.freeze : limits_.open;
  const auto frozen_at = reader.alive_at + patience;
  reader.changed.wait_until(lock, std::min(until, frozen_at), [&] { return reader.slot || reader.ended; });
  if (reader.slot) {
    if (lost_at_) {
      const auto away = Steady::now() - *std::exchange(lost_at_, std::nullopt);
      healthy_at_ = Steady::now() + limits_.healthy;
      return {ReadStatus::timeout, name_ + " is back after " + seconds(away)};
    }
    if (Steady::now() >= healthy_at_) {
      backoff_.reset();
      lost_reason_.clear();
    }
    frame = *std::exchange(reader.slot, std::nullopt);
    frame.index += delivered_;
    return {};
  }
  const bool frozen = Steady::now() >= reader.alive_at + patience;
  if (!reader.ended && !frozen) return {ReadStatus::timeout, {}};
  const std::string reason = reader.ended    ? ": " + reader.reason
                             : reader.opened ? " gave nothing for " + seconds(patience)
                                             : " could not be opened within " + seconds(patience);
  lock.unlock();
  return lose(reason);
}

void LiveSource::start(std::unique_ptr<VideoSource> opened) {
  auto reader = std::make_shared<Reader>();
  reader->alive_at = Steady::now();
  // A std::function may be copied, a unique_ptr may not: it goes in through a shared one.
  auto first = std::make_shared<std::unique_ptr<VideoSource>>(std::move(opened));
  std::thread thread([reader, first, open = reopen_] { reader->run(std::move(*first), open); });
  current_ = Running{std::move(reader), std::move(thread)};
}

/// Ends with the current reader: it has ended, or it is stuck and is set aside.
ReadResult LiveSource::lose(const std::string& reason) {
  const auto wait = backoff_.next();
  reopen_at_ = Steady::now() + wait;
  {
    const std::lock_guard lock(current_->reader->mutex);
    current_->reader->abandoned = true;
    delivered_ += current_->reader->delivered;
  }
  set_aside_.push_back(std::move(*current_));
  current_.reset();
  const bool news = !lost_at_ ? true : reason != lost_reason_;
  if (!lost_at_) lost_at_ = Steady::now();
  lost_reason_ = reason;
  if (!news) return {ReadStatus::timeout, {}};
  return {ReadStatus::timeout, name_ + reason + "; reopening in " + seconds(wait)};
}

/// Opens again when it is time to, which may not be before `until`.
ReadResult LiveSource::wait_to_reopen(Time until) {
  std::this_thread::sleep_until(std::min(until, reopen_at_));
  if (Steady::now() >= reopen_at_ && set_aside_.size() < most_set_aside) {
    start(nullptr);
  } else {
    std::this_thread::sleep_until(until);  // three are stuck: nothing to do but to wait for one
  }
  return {set_aside_.size() < most_set_aside ? ReadStatus::timeout : ReadStatus::stuck, {}};
}

void LiveSource::join_returned() {
  std::erase_if(set_aside_, [](Running& running) {
    {
      const std::lock_guard lock(running.reader->mutex);
      if (!running.reader->ended) return false;
    }
    running.thread.join();
    return true;
  });
}

}  // namespace glimpse
