// Leaves out frames evenly.
#pragma once

#include <chrono>
#include <optional>

#include "core/waiting.hpp"

namespace glimpse {

/// Takes so many frames a second as its limit says, as evenly as the source's own times let it. It makes up
/// for no time without frames: after a gap, none come in a rush.
class FrameGate {
 public:
  /// Nothing: all frames are taken.
  void set_limit(std::optional<double> fps) { limit_ = fps; }

  [[nodiscard]] bool takes(Steady::time_point captured_at) {
    if (!limit_) return true;
    const auto interval =
        std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(1 / *limit_));
    if (captured_at < due_) return false;
    due_ = captured_at - due_ < interval ? due_ + interval : captured_at + interval;
    return true;
  }

 private:
  std::optional<double> limit_;
  Steady::time_point due_{};
};

}  // namespace glimpse
