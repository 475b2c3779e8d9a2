// A moving pattern for trying things without a camera.
#pragma once

#include <memory>

#include "capture/video_source.hpp"

namespace glimpse {

/// 640x480, live, at `fps` frames a second; frame n shows the same on every machine and in every run. A
/// reader that comes late misses frames as it would with a camera. Throws Error(usage) for a rate that is not
/// above 0.
[[nodiscard]] std::unique_ptr<VideoSource> open_test_pattern(double fps);

/// What frame `index` of the pattern shows.
[[nodiscard]] cv::Mat draw_test_pattern(std::uint64_t index);
/// The same into `image`, which is allocated only where it has another size or type.
void draw_test_pattern(std::uint64_t index, cv::Mat& image);

}  // namespace glimpse
