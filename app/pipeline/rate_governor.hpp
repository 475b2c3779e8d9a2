// How many frames a second to take, so that a hot or slow machine is not given more than it can do.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/waiting.hpp"

namespace glimpse {

/// Down fast and by much, up slowly and by little. A step up is a try: where it has to be taken back, the
/// next one comes twice as late.
struct RateRules {
  using Milliseconds = std::chrono::milliseconds;
  Milliseconds look{1000};
  Milliseconds drop_patience{3000};     // one slow moment is no reason
  Milliseconds heat_patience{60000};    // so long a step down is given to cool the CPU; a heatsink is slow
  Milliseconds drop_calm{30000};        // before a step up, where frames were dropped
  Milliseconds heat_calm{120000};       // the same after heat, which comes back slowly
  Milliseconds longest_calm{1800000};   // a summer's day has cooler hours: never give up trying
  Milliseconds margin_lasts{21600000};  // without a try; throttling may have had another reason than heat
};

/// A limit for the frames a second. It goes down while the firmware slows the CPU (frequency capped,
/// throttled, soft temperature limit) and it does not become cooler, or while more than a twentieth of the
/// frames taken are dropped; up when neither was so for a while. Under-voltage alone is none of its business:
/// it slows nothing by itself, and fewer frames mend no supply; where the firmware acts on it, that counts.
class RateGovernor {
 public:
  static constexpr double step_down = 0.75, step_up = 1.1;
  static constexpr double least_step_up = 0.5;  // fps: tenths of 1 fps would take hours
  static constexpr double floor_fps = 1;        // a camera that shows nothing is worse than a hot one
  // Shares. A few frames are lost to jitter on any machine; one step up too many drops 9 %. Between the two
  // nothing changes.
  static constexpr double too_many_dropped = 0.05, few_dropped = 0.02;
  static constexpr double noticeable_k = 0.5;  // K: a step of a Raspberry Pi's sensor. Less is no change
  static constexpr double margin_k = 3;        // K below where throttling began: what a step up may cost

  /// What was seen since the last look.
  struct Look {
    double offered_fps = 0;    // by the source, before any is left out
    double dropped_share = 0;  // of those taken, 0 to 1
    std::vector<std::string> throttled;
    std::optional<double> temperature_c;
  };
  enum class Change { none, lowered, raised, lifted };

  explicit RateGovernor(RateRules rules = {}) : rules_(rules), wait_(rules.drop_calm) {}

  [[nodiscard]] Change after(const Look& look, Steady::time_point now);
  /// Frames a second; nothing: all of them.
  [[nodiscard]] std::optional<double> limit() const { return limit_; }
  /// Why it was lowered last, in words; "" while there is no limit.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  [[nodiscard]] bool is_too_hot(const Look& look, Steady::time_point now);
  [[nodiscard]] bool would_be_too_hot(const Look& look, Steady::time_point now) const;
  Change lower(const Look& look, std::string reason, Steady::duration calm);
  Change raise(const Look& look, Steady::time_point now);

  const RateRules rules_;
  std::optional<double> limit_;
  std::string reason_;
  std::optional<double> before_raise_;  // the limit to go back to, while the last step up is on trial
  Steady::duration wait_;               // of calm, before the next step up
  Steady::duration first_wait_{};       // the same, once a step up has held
  std::optional<Steady::time_point> dropping_since_, calm_since_;
  Steady::time_point slowed_at_{}, tried_at_{};  // last; tried: slowed, or a step up
  std::optional<Steady::time_point> judged_at_;  // whether it is too hot; empty: not slowed
  std::optional<double> judged_c_, calm_from_c_,
      throttled_from_c_;  // the temperature then, and where throttling began
};

}  // namespace glimpse
