#include "pipeline/change_detector.hpp"

namespace glimpse {

bool ChangeDetector::changes_at(const std::vector<Prediction>& predictions, Steady::time_point now) {
  const bool seen = !predictions.empty() && predictions.front().probability >= confidence_;
  if (!seen || (held_ && held_->is(predictions.front()))) {
    candidate_.reset();
    return false;
  }
  const Prediction& top = predictions.front();
  if (!candidate_ || !candidate_->thing.is(top)) candidate_ = {{top.index, top.label}, now};
  if (now - candidate_->since < hold_) return false;
  held_ = candidate_->thing;
  return true;
}

}  // namespace glimpse
