// What a device and the cloud say to each other beside records: the device shadow, jobs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace glimpse {

struct Message {
  std::string topic, payload;
};

/// The publisher gives each a part of its session: it subscribes to the filters, then calls began(), then
/// received() for each message and next() for what is to be sent, all from its one thread; none of them may
/// block. A session that breaks is followed by another began(), and what was on its way may be lost: whoever
/// needs an answer asks again then.
class Conversation {
 public:
  virtual ~Conversation() = default;
  /// At most 8, each for messages of this conversation alone.
  [[nodiscard]] virtual std::vector<std::string> filters() const = 0;
  /// A session has begun, and its subscriptions hold.
  virtual void began() = 0;
  /// At most 128 KiB, from anybody who may publish there: nothing in it is to be trusted.
  virtual void received(const Message& message) = 0;
  /// The next message to send, QoS 1, or nothing now.
  [[nodiscard]] virtual std::optional<Message> next() = 0;
  /// `wake` is to be called, from any thread, when next() has something new. Empty: nobody listens any more.
  virtual void set_on_news(std::function<void()> wake) = 0;
};

}  // namespace glimpse
