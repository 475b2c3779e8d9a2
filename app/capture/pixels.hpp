// One pixel format for everything behind capture/.
#pragma once

#include <opencv2/core/mat.hpp>

#include "capture/frame_pool.hpp"

namespace glimpse {

/// `image` as 8-bit BGR: grey, alpha and 16-bit pictures are converted, BGR passes uncopied. Empty where it
/// is no picture (no pixels, another number of channels or another depth). `image` may be a buffer of `pool`,
/// where the result of a conversion is put.
[[nodiscard]] cv::Mat to_bgr(cv::Mat image, FramePool& pool);
/// The same for a picture that comes once: a conversion allocates.
[[nodiscard]] cv::Mat to_bgr(cv::Mat image);

}  // namespace glimpse
