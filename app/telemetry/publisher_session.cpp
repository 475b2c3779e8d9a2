// One session of the publisher: from the broker's yes to its end.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/text.hpp"
#include "telemetry/publisher.hpp"

namespace glimpse {
namespace {

using namespace std::chrono_literals;

constexpr auto goodbye_limit = 400ms;
constexpr auto between_looks = 5s;  // at the credentials' files

}  // namespace

Publisher::Ended Publisher::serve(const std::stop_token& stop) {
  pulse_->beat();
  outbox_.begin_session();
  conversations_.begin_session();
  {
    const std::lock_guard lock(mutex_);
    next_slot_ = seams_.now();
    breaks_.began(next_slot_);
    acks_.begin();
  }
  say_online();
  while (true) {
    pulse_->beat();
    if (renew_credentials()) return seams_.link->disconnect(), Ended::renewed;
    const auto now = seams_.now();
    const bool is_empty = outbox_.counts().pending == 0;
    bool may = false, may_send_records = false;
    {
      const std::lock_guard lock(mutex_);
      if (!lost_ && acks_.is_overdue(now))
        lost_ =
            LinkFault{LinkProblem::lost, "an acknowledgement has been due for 30 s; a new session is tried"};
      if (lost_) break;
      if (stop.stop_requested() || (finishing_ && is_empty)) return Ended::done;
      may = may_send(now);
      may_send_records = now >= breaks_.rests_until(Topic::telemetry);
    }
    conversations_.deliver();
    if (!may || !(converse() || (may_send_records && send_next()))) wait_for_work(stop);
  }
  end_session();
  return Ended::lost;
}

/// True: key or certificates are new, and the session in progress still has the old ones.
bool Publisher::renew_credentials() {
  const auto now = seams_.now();
  if (now < look_at_credentials_at_) return false;
  look_at_credentials_at_ = now + between_looks;
  const CredentialNews news = seams_.link->refresh_credentials();
  const auto level = news.changed ? spdlog::level::info : spdlog::level::warn;
  if (!news.text.empty()) spdlog::log(level, "telemetry: {}", escape_control(news.text));
  return news.changed;
}

void Publisher::say_online() {
  {
    const std::lock_guard lock(mutex_);
    if (seams_.now() < breaks_.rests_until(Topic::status)) return;
    breaks_.published(Topic::status, seams_.now());
    acks_.sent(online_id, seams_.now());
    next_slot_ = seams_.now() + spacing;
  }
  if (!seams_.link->publish(online_id, status_topic_, to_json("online", message_), true))
    break_session("the session ended before it began; it is tried again");
}

void Publisher::break_session(const char* why) {
  const std::lock_guard lock(mutex_);
  if (!lost_) lost_ = LinkFault{LinkProblem::lost, why};
}

/// One message at a time until the first of its topic is acknowledged: then it is clear which one ended a
/// session.
bool Publisher::may_send(Steady::time_point now) const {
  return now >= next_slot_ && !breaks_.awaits_any_first();
}

/// Subscribes, or sends what a conversation has to say. False: there is nothing.
bool Publisher::converse() {
  if (conversations_.is_empty()) return false;
  const auto now = seams_.now();
  {
    const std::lock_guard lock(mutex_);
    if (now < std::max(breaks_.rests_until(Topic::subscriptions), breaks_.rests_until(Topic::requests)))
      return false;
  }
  const auto note = [&](Topic topic, std::int64_t id) {
    const std::lock_guard lock(mutex_);
    breaks_.published(topic, now);
    acks_.sent(id, now);
    next_slot_ = now + spacing;
  };
  if (conversations_.phase() == Conversations::Phase::silent) {
    if (!conversations_.subscribe(*seams_.link, [&](std::int64_t id) { note(Topic::subscriptions, id); }))
      break_session("the session takes no subscription; a new one is tried");
    return true;
  }
  const auto next = conversations_.next();
  if (!next) return false;
  note(Topic::requests, next->id);
  if (!seams_.link->publish(static_cast<std::uint64_t>(next->id), next->message.topic, next->message.payload,
                            false))
    break_session("the session takes no more messages; a new one is tried");
  return true;
}

bool Publisher::send_next() {
  const auto record = [this] {
    const Rest rest(*pulse_);  // it may wait for the outbox's thread, which has a pulse of its own
    return outbox_.take();
  }();
  if (!record) return false;
  const auto bytes = static_cast<std::int64_t>(record->payload.size());
  {
    const std::lock_guard lock(mutex_);
    const auto now = seams_.now();
    next_slot_ = now + std::max<Steady::duration>(
                           spacing, std::chrono::microseconds(bytes * 1'000'000 / bytes_per_second));
    breaks_.published(Topic::telemetry, now);
    acks_.sent(record->id, now);
    ++(record->again ? status_.resent : status_.sent);
  }
  // The link calls back under locks of its own, so ours is open while we call it.
  const bool taken =
      seams_.link->publish(static_cast<std::uint64_t>(record->id), telemetry_topic_, record->payload, false);
  if (!taken) break_session("the session takes no more messages; a new one is tried");
  return true;
}

/// Until something changes, or time alone lets the next one go.
void Publisher::wait_for_work(const std::stop_token& stop) {
  const Rest rest(*pulse_);
  std::unique_lock lock(mutex_);
  const auto now = seams_.now();
  auto limit = Steady::duration(1s);
  for (const auto at : {next_slot_, breaks_.rests_until(Topic::telemetry)}) {
    if (at > now) limit = std::min(limit, at - now);
  }
  wake_.wait_for(lock, stop, limit, [this, seen = seen_changes_] { return changes_ != seen || lost_; });
  seen_changes_ = changes_;
}

void Publisher::end_session() {
  LinkFault fault;
  {
    const std::lock_guard lock(mutex_);
    fault = *lost_;
    if (auto pattern = breaks_.broke(seams_.now())) fault = std::move(*pattern);
  }
  seams_.link->disconnect();
  note_fault(fault);
}

void Publisher::say_goodbye() {
  const std::string message = to_json("offline", message_);
  if (!seams_.link->publish(static_cast<std::uint64_t>(offline_id), status_topic_, message, true)) return;
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, goodbye_limit, [this] { return goodbye_acknowledged_ || lost_; });
}

}  // namespace glimpse
