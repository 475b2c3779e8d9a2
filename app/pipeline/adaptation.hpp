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
  [[nodiscard]] bool takes(Steady::time_point captured_at) {
    ++now_.offered;
    const bool taken = gate_.takes(captured_at);
    if (taken) ++now_.taken;
    return taken;
  }

 private:
  /// Only what came this far counts: what a source drops itself, a lower rate does not mend.
  struct Counts {
    std::uint64_t offered = 0, taken = 0, dropped = 0;
  };

  Reporter& reporter_;
  const RateRules rules_;
  RateGovernor governor_;
  FrameGate gate_;
  Counts now_, last_;
  std::optional<Steady::time_point> last_at_;
};

}  // namespace glimpse
