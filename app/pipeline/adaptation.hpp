// --adapt: looks at the machine once a second and leaves out frames where it cannot take them all.
#pragma once

#include "pipeline/frame_gate.hpp"
#include "pipeline/rate_governor.hpp"
#include "pipeline/reporter.hpp"

namespace glimpse {

/// For a live source, in its capture thread. What RateGovernor decides is in the log, a line for each change,
/// and in the records.
class Adaptation {
 public:
  /// `reporter` must outlive it.
  explicit Adaptation(Reporter& reporter, RateRules rules = {})
      : reporter_(reporter), rules_(rules), governor_(rules) {}

  /// To be called often: decides anew where it is time to.
  void look(Steady::time_point now);
  /// False: this frame is to be left out.
  [[nodiscard]] bool takes(Steady::time_point captured_at) { return gate_.takes(captured_at); }

 private:
  Reporter& reporter_;
  const RateRules rules_;
  RateGovernor governor_;
  FrameGate gate_;
  RunTotals last_;
  std::optional<Steady::time_point> last_at_;
};

}  // namespace glimpse
