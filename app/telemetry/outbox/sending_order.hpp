// Which stored record is sent next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <vector>

namespace glimpse {

enum class Drain {
  newest,  // what comes in while the link is up goes before what waited, each of the two in order
  fifo,    // strictly in order
};

/// Keeps track of record ids alone; the records lie elsewhere. Not thread-safe.
class SendingOrder {
 public:
  static constexpr std::size_t window =
      20;  // sent and not yet erased, at most: so many may come twice after a crash

  explicit SendingOrder(Drain drain) : drain_(drain) {}

  /// A session begins: what an earlier one left unacknowledged is sent again, first of all and in order.
  /// Then, unless the drain is fifo, the newest record there is, `last_id`, and what comes after it; and
  /// beside these the older ones.
  void begin_session(std::int64_t last_id);

  /// A place to look for the next record: the first with after < id <= until.
  struct Range {
    std::int64_t after, until;
  };
  /// In order of preference; none while the window is full.
  [[nodiscard]] std::vector<Range> next() const;
  /// On the wire already, or acknowledged: not to be sent now though it is still there.
  [[nodiscard]] bool is_busy(std::int64_t id) const {
    return on_wire_.contains(id) || to_erase_.contains(id);
  }
  /// What was found at next()[i] and is not busy goes on the wire. True: it has been there before.
  bool sent(std::int64_t id);
  /// There is nothing at this range any more: a record to be sent again that was dropped meanwhile.
  void skip(const Range& range);
  /// False for an id that is not on the wire.
  bool acknowledged(std::int64_t id);

  /// Acknowledged, to be erased; erased() follows.
  [[nodiscard]] const std::set<std::int64_t>& to_erase() const { return to_erase_; }
  void erased(const std::vector<std::int64_t>& ids);
  void erase_unsent(std::int64_t id) { to_erase_.insert(id); }  // one that cannot be sent

  /// Sent at least once and not acknowledged.
  [[nodiscard]] std::set<std::int64_t> unacknowledged() const;
  [[nodiscard]] std::size_t on_wire() const { return on_wire_.size(); }

 private:
  static constexpr std::int64_t no_end = std::numeric_limits<std::int64_t>::max();

  Drain drain_;
  std::set<std::int64_t> on_wire_, again_, to_erase_;
  std::int64_t backlog_at_ = 0, backlog_end_ = no_end, live_at_ = no_end;
};

}  // namespace glimpse
