#include "telemetry/message_queue.hpp"

#include <algorithm>

namespace glimpse {

void MessageQueue::push(std::string payload) {
  bytes_ += payload.size();
  messages_.push_back({++last_id_, std::make_shared<const std::string>(std::move(payload)), false});
  while (bytes_ > max_bytes_ && has_waiting()) {
    const auto oldest =
        std::find_if(messages_.begin(), messages_.end(), [](const Message& m) { return !m.in_flight; });
    bytes_ -= oldest->payload->size();
    messages_.erase(oldest);
    ++dropped_;
  }
}

MessageQueue::Message MessageQueue::take() {
  const auto next =
      std::find_if(messages_.begin(), messages_.end(), [](const Message& m) { return !m.in_flight; });
  if (next == messages_.end()) return {};
  next->in_flight = true;
  ++in_flight_;
  return *next;
}

bool MessageQueue::acknowledge(std::uint64_t id) {
  const auto sent = std::find_if(messages_.begin(), messages_.end(),
                                 [id](const Message& m) { return m.id == id && m.in_flight; });
  if (sent == messages_.end()) return false;
  bytes_ -= sent->payload->size();
  messages_.erase(sent);
  --in_flight_;
  return true;
}

void MessageQueue::requeue_in_flight() {
  for (auto& message : messages_) message.in_flight = false;
  in_flight_ = 0;
}

}  // namespace glimpse
