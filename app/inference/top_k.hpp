// From logits to the k most probable labels.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/prediction.hpp"

namespace glimpse {

/// Softmax over all logits, then the k largest, most probable first (the lower index first where two are
/// equal). k is cut to the number of logits. `labels` has as many entries as `logits`. A logit that is not a
/// number counts as -infinity.
[[nodiscard]] std::vector<Prediction> top_k(std::span<const float> logits,
                                            const std::vector<std::string>& labels, int k);

}  // namespace glimpse
