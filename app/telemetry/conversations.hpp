// The publisher's side of all conversations: their subscriptions, what comes in, what goes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "telemetry/conversation.hpp"
#include "telemetry/link/mqtt_link.hpp"

namespace glimpse {

/// Whether a topic is one of those that a topic filter stands for (MQTT 3.1.1, 4.7), without the rule that
/// wildcards leave out $-topics.
[[nodiscard]] bool matches(const std::string& filter, const std::string& topic);

/// Used by the publisher's thread, but for what is marked.
class Conversations {
 public:
  static constexpr std::int64_t first_id = std::int64_t{1} << 62;  // no record's
  static constexpr std::size_t max_waiting = 64;        // messages; what comes beyond them is dropped
  static constexpr std::size_t max_bytes = 128 * 1024;  // of a message; AWS IoT Core

  /// All of them must outlive this.
  explicit Conversations(std::vector<Conversation*> all) : all_(std::move(all)) {}

  /// Calls `wake` where there is something to do. Null: no longer.
  void set_on_news(const std::function<void()>& wake);
  [[nodiscard]] static bool is_ours(std::int64_t id) { return id >= first_id; }

  enum class Phase { silent, subscribing, open };
  /// A session begins: silent.
  void begin_session();
  [[nodiscard]] Phase phase() const;
  [[nodiscard]] bool is_empty() const { return all_.empty(); }

  /// Asks for all subscriptions, after telling the id of each. False where the session is gone.
  [[nodiscard]] bool subscribe(Link& link, const std::function<void(std::int64_t id)>& before);
  /// Hands over what came in.
  void deliver();
  struct Outgoing {
    std::int64_t id;
    Message message;
  };
  [[nodiscard]] std::optional<Outgoing> next();

  /// From the link's threads. True: that was the last answer, and the conversations are open.
  bool subscribed(std::int64_t id, bool granted);
  void received(Message message);

 private:
  void begin();

  const std::vector<Conversation*> all_;
  std::int64_t next_id_ = first_id;
  std::set<std::string> named_;       // filters whose refusal the log has
  std::vector<Conversation*> begun_;  // in this session: those that may subscribe to all they need

  struct Asked {
    Conversation* by;
    std::string filter;
  };
  mutable std::mutex mutex_;  // guards all below; no conversation is called with it held
  Phase phase_ = Phase::silent;
  std::map<std::int64_t, Asked> asked_;  // subscriptions without their answer
  std::vector<Asked> refused_;
  bool greeted_ = false;  // began() was called in this session
  std::deque<Message> inbox_;
  std::uint64_t dropped_ = 0;
};

}  // namespace glimpse
