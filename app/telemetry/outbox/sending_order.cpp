#include "telemetry/outbox/sending_order.hpp"

#include <algorithm>

namespace glimpse {

void SendingOrder::begin_session(std::int64_t last_id) {
  again_.merge(on_wire_);
  on_wire_.clear();
  backlog_at_ = 0;
  if (drain_ == Drain::newest) backlog_end_ = live_at_ = std::max<std::int64_t>(last_id - 1, 0);
}

std::vector<SendingOrder::Range> SendingOrder::next() const {
  if (on_wire_.size() + to_erase_.size() >= window) return {};
  if (!again_.empty()) return {{*again_.begin() - 1, *again_.begin()}};
  std::vector<Range> ranges;
  if (live_at_ != no_end) ranges.push_back({live_at_, no_end});
  if (backlog_at_ < backlog_end_) ranges.push_back({backlog_at_, backlog_end_});
  return ranges;
}

bool SendingOrder::sent(std::int64_t id) {
  on_wire_.insert(id);
  if (again_.erase(id) > 0) return true;
  std::int64_t& mark = id > backlog_end_ ? live_at_ : backlog_at_;
  mark = std::max(mark, id);
  return false;
}

void SendingOrder::skip(const Range& range) {
  if (range.until == range.after + 1) again_.erase(range.until);
}

bool SendingOrder::acknowledged(std::int64_t id) {
  if (on_wire_.erase(id) == 0) return false;
  to_erase_.insert(id);
  return true;
}

void SendingOrder::erased(const std::vector<std::int64_t>& ids) {
  for (const std::int64_t id : ids) to_erase_.erase(id);
}

std::set<std::int64_t> SendingOrder::unacknowledged() const {
  std::set<std::int64_t> ids = on_wire_;
  ids.insert(again_.begin(), again_.end());
  return ids;
}

}  // namespace glimpse
