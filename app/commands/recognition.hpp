// How a pipeline uses a Classifier.
#pragma once

#include <memory>
#include <vector>

#include "inference/classifier.hpp"
#include "pipeline/pipeline.hpp"

namespace glimpse {

/// The two steps of `classifier`, which must outlive them.
[[nodiscard]] inline Recognition recognition_by(Classifier& classifier) {
  const auto inputs = std::make_shared<std::vector<Classifier::Input>>();
  for (std::size_t slot = 0; slot < Recognition::slots; ++slot) inputs->push_back(classifier.make_input());
  return {[inputs, &classifier](const Frame& frame, std::size_t slot) {
            return classifier.prepare(frame.image, (*inputs)[slot]);
          },
          [inputs, &classifier](std::size_t slot, int k) { return classifier.classify((*inputs)[slot], k); }};
}

}  // namespace glimpse
