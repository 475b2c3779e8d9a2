// Records on their way: what was accepted and is not yet acknowledged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace glimpse {

/// In memory and bounded by bytes of payload: when full the oldest that are not on the wire go, counted.
/// Those in flight stay, since their acknowledgement is due: accepted == acknowledged + dropped + size()
/// always holds. Not thread-safe; its owner locks. Ids start at 1 and rise in order of push().
class MessageQueue {
 public:
  struct Message {
    std::uint64_t id = 0;
    std::shared_ptr<const std::string> payload;
    bool in_flight = false;
  };

  explicit MessageQueue(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  void push(std::string payload);
  /// Marks the oldest message not in flight as in flight and returns it; id 0 where there is none.
  [[nodiscard]] Message take();
  /// The broker has it: it goes. False for an id that is not in flight.
  bool acknowledge(std::uint64_t id);
  /// The link is gone: what was in flight is sent again, in the old order.
  void requeue_in_flight();

  [[nodiscard]] bool has_waiting() const { return in_flight_ < messages_.size(); }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] std::size_t size() const { return messages_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  std::deque<Message> messages_;
  std::size_t max_bytes_, bytes_ = 0, in_flight_ = 0;
  std::uint64_t last_id_ = 0, dropped_ = 0;
};

}  // namespace glimpse
