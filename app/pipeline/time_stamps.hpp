// Times of records, no two the same.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace glimpse {

/// `device` and `time_ms` are DynamoDB's key: of two records of a device with the same time one would be
/// lost. A clock that stands, or is put right by at most a second, is therefore passed by a millisecond for
/// each record. One that is set back by more is believed; its times could then, by chance, meet earlier ones.
class TimeStamps {
 public:
  /// The time of the next record, given what the wall clock says. Both in Unix milliseconds.
  [[nodiscard]] std::int64_t next(std::int64_t wall_ms) {
    const bool goes_on = last_ && wall_ms >= last_->wall_ms - 1000;
    last_ = {wall_ms, goes_on ? std::max(wall_ms, last_->given_ms + 1) : wall_ms};
    return last_->given_ms;
  }

 private:
  struct Last {
    std::int64_t wall_ms, given_ms;
  };
  std::optional<Last> last_;
};

}  // namespace glimpse
