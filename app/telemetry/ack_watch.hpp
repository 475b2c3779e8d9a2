// Whether a broker still acknowledges.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "core/waiting.hpp"

namespace glimpse {

/// Not thread-safe. As many entries as messages are on their way.
class AckWatch {
 public:
  static constexpr std::chrono::seconds limit{30};

  void begin() { waiting_.clear(); }
  void sent(std::int64_t id, Steady::time_point now);
  void acknowledged(std::int64_t id, Steady::time_point now);
  /// For `limit` nothing was acknowledged though something waits; or something has waited so long while later
  /// ones were acknowledged: acknowledgements come in order (MQTT 3.1.1, 4.6), so its own is lost.
  [[nodiscard]] bool is_overdue(Steady::time_point now) const;

 private:
  struct Waiting {
    std::int64_t id;
    Steady::time_point sent_at;
    bool overtaken = false;
  };
  std::deque<Waiting> waiting_;  // in the order of sending
  Steady::time_point progress_{};
};

}  // namespace glimpse
