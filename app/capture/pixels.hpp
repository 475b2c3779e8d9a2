// One pixel format for everything behind capture/.
#pragma once

#include <opencv2/core/mat.hpp>

namespace glimpse {

/// `image` as 8-bit BGR: grey, alpha and 16-bit pictures are converted, BGR passes uncopied. Empty where it
/// is no picture (no pixels, another number of channels or another depth).
[[nodiscard]] cv::Mat to_bgr(const cv::Mat& image);

}  // namespace glimpse
