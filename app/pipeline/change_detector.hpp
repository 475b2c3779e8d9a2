// Tells when the thing in front of the camera is another one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/prediction.hpp"
#include "core/waiting.hpp"

namespace glimpse {

/// A change is a top-1 other than the last that held (another index, or with another model another label),
/// once it has held itself: it was the top-1 of every frame for `hold`, each time with at least `confidence`.
/// A frame below that shows nothing: it begins no change, interrupts one that has not held yet, and what held
/// before still counts as the last. Before the first change there was nothing, so the first thing that holds
/// is a change.
class ChangeDetector {
 public:
  /// `confidence`: a probability, 0 to 1. `hold` 0: one frame is enough.
  ChangeDetector(Steady::duration hold, double confidence) : hold_(hold), confidence_(confidence) {}
  /// What held last, and what is about to, stays.
  void set_rule(Steady::duration hold, double confidence) {
    hold_ = hold;
    confidence_ = confidence;
  }

  /// Takes the predictions of the next frame, most probable first, and when they were made. True once for
  /// each change: at the first frame at or after the end of its hold.
  [[nodiscard]] bool changes_at(const std::vector<Prediction>& predictions, Steady::time_point now);

 private:
  struct Thing {
    int index;
    std::string label;
    [[nodiscard]] bool is(const Prediction& seen) const { return index == seen.index && label == seen.label; }
  };
  struct Candidate {
    Thing thing;
    Steady::time_point since;
  };
  Steady::duration hold_;
  double confidence_;
  std::optional<Thing> held_;
  std::optional<Candidate> candidate_;
};

}  // namespace glimpse
