// What a person asks of a camera, as text and as values.
#pragma once

#include <opencv2/core/types.hpp>
#include <optional>
#include <string>

namespace glimpse {

enum class Flip { none, horizontal, vertical, half_turn };

struct CameraOptions {
  double fps = 36;
  std::optional<cv::Size> size;  // empty: what suits the kind of camera
  Flip flip = Flip::none;
};

/// `size`: "1280x720", 16x16 to 10000x10000, or "" for none asked; `flip`: none, horizontal (mirrored, left
/// for right), vertical (top for bottom) or 180 (both). Throws Error(usage) that names the flag.
[[nodiscard]] CameraOptions camera_options(double fps, const std::string& size, const std::string& flip);

}  // namespace glimpse
