// Where somebody besides the network has a look at the frames.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "capture/video_source.hpp"
#include "core/waiting.hpp"

namespace glimpse {

/// Hands out one frame at a time, its pixels shared and never copied, and only when one is asked for: who
/// offers frames never waits, and with nobody asking no frame is held.
class FrameTap {
 public:
  /// The frames that are held by the tap, or by who took one and uses it, together.
  static constexpr std::size_t holds = 1;
  struct Size {
    int width = 0, height = 0;
  };

  /// From one thread, for every frame.
  void offer(const Frame& frame) {
    size_.store(pack(frame.image.cols, frame.image.rows), std::memory_order_relaxed);
    if (!wanted_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    if (!wanted_) return;
    wanted_ = false;
    frame_ = frame;
    offered_.notify_all();
  }

  /// The next frame that is offered. Nothing at `deadline`, or when a stop is requested. From one thread at a
  /// time, which gives up the frame before it asks for another.
  [[nodiscard]] std::optional<Frame> next(Steady::time_point deadline, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    wanted_ = true;
    offered_.wait_until(lock, stop, deadline, [this] { return frame_.has_value(); });
    wanted_ = false;
    return std::exchange(frame_, std::nullopt);
  }

  /// Of the last frame, in pixels; nothing before the first.
  [[nodiscard]] std::optional<Size> size() const {
    const std::uint64_t packed = size_.load(std::memory_order_relaxed);
    if (packed == 0) return std::nullopt;
    return Size{static_cast<int>(packed >> 32), static_cast<int>(packed & 0xffffffff)};
  }

 private:
  static std::uint64_t pack(int width, int height) {
    return static_cast<std::uint64_t>(width) << 32 | static_cast<std::uint32_t>(height);
  }

  std::atomic<std::uint64_t> size_{0};
  std::atomic<bool> wanted_{false};
  std::mutex mutex_;
  std::condition_variable_any offered_;
  std::optional<Frame> frame_;
};

}  // namespace glimpse
