#include "capture/frame_pool.hpp"

#include <atomic>

namespace glimpse {
namespace {

/// Acquires what the last other holder did before it let go: its reads come before our writes.
bool is_ours_alone(const cv::Mat& buffer) {
  return buffer.u == nullptr || std::atomic_ref(buffer.u->refcount).load(std::memory_order_acquire) == 1;
}

}  // namespace

cv::Mat& FramePool::next() {
  for (cv::Mat& buffer : buffers_) {
    if (is_ours_alone(buffer)) return buffer;
  }
  fresh_.release();
  return fresh_;
}

}  // namespace glimpse
