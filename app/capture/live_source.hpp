// A live source that outlives its camera: reopened when it goes away or freezes, and never in the way of a
// stop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "capture/video_source.hpp"
#include "core/backoff.hpp"

namespace glimpse {

struct LiveLimits {
  using Milliseconds = std::chrono::milliseconds;
  Milliseconds poll{200};           // the longest read() waits
  Milliseconds freeze{5000};        // without a frame for so long, the camera counts as frozen
  Milliseconds open{15000};         // an opening that takes longer counts as frozen, too
  Milliseconds healthy{5000};       // frames for so long reset the back-off
  Milliseconds leave{250};          // the destructor waits so long for a reader in the driver
  Milliseconds backoff_base{1000};  // between two openings
  Milliseconds backoff_cap{30000};
  std::function<double()> random01;  // for the back-off's jitter; empty: a real one
};

using SourceFactory =
    std::function<std::unique_ptr<VideoSource>()>;  // throws Error where there is nothing to open

/// Calls `open` in a thread of its own and returns what it returns or throws; nullptr as soon as `stop` is
/// requested. Throws Error(no_source) when `limit` has passed. In both cases the opening finishes, or is
/// stuck, by itself.
[[nodiscard]] std::unique_ptr<VideoSource> open_unless_stopped(
    const SourceFactory& open, const std::stop_token& stop,
    std::chrono::milliseconds limit = std::chrono::milliseconds(20000));

/// One thread reads the camera into a slot for one frame: a newer one overwrites (the gap in Frame::index
/// tells how many). A reader stuck in the driver is set aside and joined when it comes back; at most 3 are
/// aside at a time, and until one is back nothing more is opened.
///
/// The one exception to "no detached thread": a reader still stuck when the source is destroyed. Nothing can
/// end it, and waiting for a driver would keep the program from stopping. It owns all that it touches (its
/// Reader, its camera), gives nothing to anybody, and ends by itself when the driver lets go, or with the
/// process.
class LiveSource : public VideoSource {
 public:
  /// `name` begins each message ("camera /dev/video0"); `first` is open already.
  LiveSource(std::string name, std::unique_ptr<VideoSource> first, SourceFactory reopen,
             LiveLimits limits = {});
  ~LiveSource() override;
  LiveSource(const LiveSource&) = delete;
  LiveSource& operator=(const LiveSource&) = delete;

  /// frame, timeout or stuck, nothing else. A timeout has a reason once per change: the camera is lost (in a
  /// new way), or back.
  ReadResult read(Frame& frame) override;
  const SourceInfo& info() const override { return info_; }

 private:
  struct Reader;
  struct Running {
    std::shared_ptr<Reader> reader;
    std::thread thread;
  };
  using Time = std::chrono::steady_clock::time_point;

  void start(std::unique_ptr<VideoSource> opened);
  void join_returned();
  [[nodiscard]] ReadResult wait_to_reopen(Time until);
  [[nodiscard]] ReadResult lose(const std::string& reason);

  std::string name_;
  SourceFactory reopen_;
  LiveLimits limits_;
  SourceInfo info_;
  Backoff backoff_;
  std::optional<Running> current_;
  std::vector<Running> set_aside_;
  std::uint64_t delivered_ = 0;  // by the readers before the current one
  Time reopen_at_{}, healthy_at_{};
  std::optional<Time> lost_at_;  // empty while frames come
  std::string lost_reason_;
};

}  // namespace glimpse
