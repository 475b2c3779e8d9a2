#include "telemetry/conversations.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "core/text.hpp"

namespace glimpse {

bool matches(const std::string& filter, const std::string& topic) {
  std::size_t f = 0, t = 0;
  while (true) {
    if (filter.compare(f, std::string::npos, "#") == 0) return true;
    const std::size_t f_end = std::min(filter.find('/', f), filter.size());
    const std::size_t t_end = std::min(topic.find('/', t), topic.size());
    const bool any = filter.compare(f, f_end - f, "+") == 0;
    if (!any && filter.compare(f, f_end - f, topic, t, t_end - t) != 0) return false;
    const bool filter_ends = f_end == filter.size(), topic_ends = t_end == topic.size();
    if (topic_ends && filter.compare(f_end, std::string::npos, "/#") == 0) return true;
    if (filter_ends || topic_ends) return filter_ends && topic_ends;
    f = f_end + 1;
    t = t_end + 1;
  }
}

void Conversations::set_on_news(const std::function<void()>& wake) {
  for (Conversation* const conversation : all_) conversation->set_on_news(wake);
}

void Conversations::begin_session() {
  begun_.clear();
  const std::lock_guard lock(mutex_);
  phase_ = Phase::silent;
  asked_.clear();
  refused_.clear();
  inbox_.clear();
  dropped_ = 0;
  greeted_ = false;
}

Conversations::Phase Conversations::phase() const {
  const std::lock_guard lock(mutex_);
  return phase_;
}

bool Conversations::subscribe(Link& link, const std::function<void(std::int64_t id)>& before) {
  std::map<std::int64_t, Asked> asked;
  for (Conversation* const conversation : all_) {
    for (const std::string& filter : conversation->filters()) asked[next_id_++] = {conversation, filter};
  }
  {
    const std::lock_guard lock(mutex_);
    phase_ = Phase::subscribing;
    asked_ = asked;
  }
  for (const auto& [id, it] : asked) {
    before(id);
    if (!link.subscribe(static_cast<std::uint64_t>(id), it.filter)) return false;
  }
  return true;
}

bool Conversations::subscribed(std::int64_t id, bool granted) {
  const std::lock_guard lock(mutex_);
  auto answered = asked_.extract(id);
  if (answered.empty()) return false;
  if (!granted) refused_.push_back(std::move(answered.mapped()));
  if (asked_.empty()) phase_ = Phase::open;
  return asked_.empty();
}

void Conversations::received(Message message) {
  const std::lock_guard lock(mutex_);
  if (inbox_.size() < max_waiting && message.payload.size() <= max_bytes) {
    inbox_.push_back(std::move(message));
  } else if (dropped_++ == 0) {
    spdlog::warn("telemetry: a message on '{}' was dropped: {}", escape_control(message.topic),
                 message.payload.size() > max_bytes ? "it is larger than 128 KiB" : "they come too fast");
  }
}

void Conversations::deliver() {
  std::deque<Message> inbox;
  bool greet = false;
  {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::open) return;
    greet = !std::exchange(greeted_, true);
    inbox.swap(inbox_);
  }
  if (greet) begin();
  for (const Message& message : inbox) {
    for (Conversation* const conversation : begun_) {
      const auto filters = conversation->filters();
      const auto is_for_it = [&](const std::string& filter) { return matches(filter, message.topic); };
      if (std::any_of(filters.begin(), filters.end(), is_for_it)) conversation->received(message);
    }
  }
}

void Conversations::begin() {
  std::vector<Asked> refused;
  {
    const std::lock_guard lock(mutex_);
    refused = refused_;
  }
  for (const Asked& it : refused) {
    if (!named_.insert(it.filter).second) continue;
    spdlog::warn(
        "telemetry: the broker refuses the subscription to '{}': its policy most likely lacks iot:Subscribe "
        "on "
        "arn:aws:iot:REGION:ACCOUNT:topicfilter/{}; records go on",
        it.filter, it.filter);
  }
  for (Conversation* const conversation : all_) {
    const auto is_its = [&](const Asked& it) { return it.by == conversation; };
    if (std::any_of(refused.begin(), refused.end(), is_its)) continue;
    begun_.push_back(conversation);
    conversation->began();
  }
}

std::optional<Conversations::Outgoing> Conversations::next() {
  for (Conversation* const conversation : begun_) {
    if (auto message = conversation->next()) return Outgoing{next_id_++, std::move(*message)};
  }
  return std::nullopt;
}

}  // namespace glimpse
