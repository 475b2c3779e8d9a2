// How a pipeline uses a Classifier.
#pragma once

#include <array>
#include <memory>

#include "inference/classifier.hpp"
#include "pipeline/pipeline.hpp"

namespace glimpse {

/// The two steps of `classifier`, which must outlive them. Preparing only keeps the picture: classify() does
/// the rest.
[[nodiscard]] inline Recognition recognition_by(Classifier& classifier) {
  const auto pictures = std::make_shared<std::array<cv::Mat, Recognition::slots>>();
  return {
      [pictures](const Frame& frame, std::size_t slot) {
        (*pictures)[slot] = frame.image;
        return 0.0;
      },
      [pictures, &classifier](std::size_t slot, int k) { return classifier.classify((*pictures)[slot], k); }};
}

}  // namespace glimpse
