#include "pipeline/hourly_cap.hpp"

namespace glimpse {

HourlyCap::Answer HourlyCap::ask(Steady::time_point now) {
  const auto minute = std::chrono::floor<std::chrono::minutes>(now.time_since_epoch());
  // The last moment of a minute is an hour old only when 60 further ones are over.
  while (!minutes_.empty() && minute - minutes_.front().at > std::chrono::minutes(60)) {
    granted_ -= minutes_.front().granted;
    minutes_.pop_front();
  }
  if (granted_ >= limit_) {
    const bool anew = !last_refusal_ || now - *last_refusal_ >= std::chrono::hours(1);
    last_refusal_ = now;
    return anew ? Answer::refused_anew : Answer::refused;
  }
  if (minutes_.empty() || minutes_.back().at != minute) minutes_.push_back({minute, 0});
  ++minutes_.back().granted;
  ++granted_;
  return Answer::granted;
}

}  // namespace glimpse
