#include "pipeline/change_detector.hpp"

namespace glimpse {

bool ChangeDetector::changes_at(const std::vector<Prediction>& predictions, Steady::time_point now) {
  const bool seen = !predictions.empty() && predictions.front().probability >= confidence_;
  if (!seen || predictions.front().index == held_) {
    candidate_.reset();
    return false;
  }
  const int top = predictions.front().index;
  if (!candidate_ || candidate_->index != top) candidate_ = {top, now};
  if (now - candidate_->since < hold_) return false;
  held_ = top;
  return true;
}

}  // namespace glimpse
