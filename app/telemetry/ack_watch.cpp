#include "telemetry/ack_watch.hpp"

#include <algorithm>

namespace glimpse {

void AckWatch::sent(std::int64_t id, Steady::time_point now) {
  if (waiting_.empty()) progress_ = now;
  waiting_.push_back({id, now});
}

void AckWatch::acknowledged(std::int64_t id, Steady::time_point now) {
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [id](const Waiting& it) { return it.id == id; });
  if (found == waiting_.end()) return;
  std::for_each(waiting_.begin(), found, [](Waiting& it) { it.overtaken = true; });
  waiting_.erase(found);
  progress_ = now;
}

bool AckWatch::is_overdue(Steady::time_point now) const {
  if (waiting_.empty()) return false;
  return now - progress_ >= limit || std::any_of(waiting_.begin(), waiting_.end(), [now](const Waiting& it) {
           return it.overtaken && now - it.sent_at >= limit;
         });
}

}  // namespace glimpse
