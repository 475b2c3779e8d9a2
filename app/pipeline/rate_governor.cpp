#include "pipeline/rate_governor.hpp"

#include <algorithm>
#include <cmath>

#include "device/thermals.hpp"

namespace glimpse {
namespace {

bool is_under_voltage(const std::vector<std::string>& throttled) {
  return std::find(throttled.begin(), throttled.end(), throttling::under_voltage) != throttled.end();
}

/// What the firmware does to the CPU, in words; "" where it leaves it alone.
std::string slowed_by(const std::vector<std::string>& throttled) {
  std::string words;
  for (const std::string& word : throttled) {
    if (word != throttling::under_voltage) words += (words.empty() ? "" : ", ") + word;
  }
  return words;
}

}  // namespace

RateGovernor::Change RateGovernor::after(const Look& look, Steady::time_point now) {
  const std::string slowed = slowed_by(look.throttled);
  const bool dropping = look.dropped_share > too_many_dropped;
  if (!dropping) dropping_since_.reset();
  if (dropping && !dropping_since_) dropping_since_ = now;
  const bool calm = slowed.empty() && look.dropped_share <= few_dropped && look.offered_fps > 0;
  if (!calm || !calm_since_) {
    calm_since_ = now;
    calm_from_c_ = look.temperature_c;
  }
  if (slowed.empty() && now - slowed_at_ >= rules_.heat_patience) judged_at_.reset();  // it comes and goes
  if (!slowed.empty()) slowed_at_ = tried_at_ = now;
  if (look.offered_fps <= 0) return Change::none;  // the camera is away

  if (!slowed.empty() && is_too_hot(look, now)) return lower(look, slowed, rules_.heat_calm);
  if (dropping && now - *dropping_since_ >= rules_.drop_patience) {
    dropping_since_ = now;
    return lower(look, std::to_string(std::lround(100 * look.dropped_share)) + " % of the frames dropped",
                 rules_.drop_calm);
  }
  return now - *calm_since_ >= wait_ ? raise(look, now) : Change::none;
}

/// At its beginning, and then each time that heat_patience has not made it cooler.
bool RateGovernor::is_too_hot(const Look& look, Steady::time_point now) {
  const bool begins = !judged_at_;
  if (!begins && now - *judged_at_ < rules_.heat_patience) return false;
  if (begins) throttled_from_c_ = is_under_voltage(look.throttled) ? std::nullopt : look.temperature_c;
  const bool cooling =
      !begins && look.temperature_c && judged_c_ && *look.temperature_c <= *judged_c_ - noticeable_k;
  judged_at_ = now;
  judged_c_ = look.temperature_c;
  return !cooling;
}

RateGovernor::Change RateGovernor::lower(const Look& look, std::string reason, Steady::duration calm) {
  const double taken = std::min(limit_.value_or(look.offered_fps), look.offered_fps);
  double next =
      taken * std::min(step_down, 1 - look.dropped_share);  // what was named at once, where few were
  first_wait_ = calm;
  wait_ = std::max(wait_, calm);
  if (before_raise_) {  // what held before is still good, most likely
    if (*before_raise_ < taken) next = *before_raise_;
    wait_ = std::min<Steady::duration>(2 * wait_, rules_.longest_calm);
    before_raise_.reset();
  }
  next = std::max(next, floor_fps);
  if (next >= taken) return Change::none;
  limit_ = next;
  reason_ = std::move(reason);
  return Change::lowered;
}

/// Still becoming warmer, or too near to where throttling began.
bool RateGovernor::would_be_too_hot(const Look& look, Steady::time_point now) const {
  if (!look.temperature_c || !throttled_from_c_) return false;
  const bool rising = calm_from_c_ && *look.temperature_c > *calm_from_c_ + noticeable_k;
  const bool near = *look.temperature_c > *throttled_from_c_ - margin_k;
  return rising || (near && now - tried_at_ < rules_.margin_lasts);
}

RateGovernor::Change RateGovernor::raise(const Look& look, Steady::time_point now) {
  if (before_raise_) {  // the last step up has held
    before_raise_.reset();
    wait_ = first_wait_;
  }
  if (!limit_) return Change::none;
  const bool too_hot = would_be_too_hot(look, now);
  calm_from_c_ = look.temperature_c;
  if (too_hot) {  // asked again in a while, not after all of a long wait
    calm_since_ = now - wait_ + first_wait_;
    return Change::none;
  }
  calm_since_ = tried_at_ = now;
  before_raise_ = limit_;
  limit_ = std::max(*limit_ * step_up, *limit_ + least_step_up);
  if (*limit_ < look.offered_fps) return Change::raised;
  limit_.reset();
  reason_.clear();
  return Change::lifted;
}

}  // namespace glimpse
