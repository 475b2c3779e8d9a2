#include "telemetry/session_breaks.hpp"

#include <algorithm>
#include <utility>

namespace glimpse {
namespace {

constexpr Topic all[] = {Topic::status, Topic::telemetry, Topic::subscriptions, Topic::requests};
static_assert(std::size(all) == SessionBreaks::topics);

}  // namespace

SessionBreaks::SessionBreaks(std::string device, std::array<std::string, topics> names)
    : device_(std::move(device)), names_(std::move(names)) {}

void SessionBreaks::began(Steady::time_point now) {
  began_ = now;
  for (Seen& seen : seen_) seen.published = seen.acknowledged = false;
}

void SessionBreaks::published(Topic topic, Steady::time_point now) {
  Seen& seen = of(topic);
  if (!std::exchange(seen.published, true)) seen.published_at = now;
}

void SessionBreaks::acknowledged(Topic topic) {
  Seen& seen = of(topic);
  seen.acknowledged = true;
  seen.blamed = 0;
  seen.rest.reset();
}

bool SessionBreaks::awaits_first(Topic topic) const {
  return of(topic).published && !of(topic).acknowledged;
}

bool SessionBreaks::awaits_any_first() const {
  return std::any_of(std::begin(all), std::end(all), [this](Topic topic) { return awaits_first(topic); });
}

std::optional<LinkFault> SessionBreaks::broke(Steady::time_point now) {
  for (const Topic topic : all) {
    Seen& seen = of(topic);
    if (!awaits_first(topic) || now - seen.published_at > at_once) continue;
    ++seen.blamed;
    if (seen.blamed < in_a_row && !seen.rest) return std::nullopt;
    seen.rest = seen.rest ? std::min<Steady::duration>(2 * *seen.rest, longest_rest) : first_rest;
    seen.rests_until = now + *seen.rest;
    return forbidden(topic);
  }
  const bool worked =
      std::any_of(seen_.begin(), seen_.end(), [](const Seen& seen) { return seen.acknowledged; });
  short_sessions_ = worked && now - began_ < soon ? short_sessions_ + 1 : 0;
  if (short_sessions_ < in_a_row) return std::nullopt;
  return LinkFault{
      LinkProblem::client_id_taken,
      "the broker ended " + std::to_string(short_sessions_) +
          " sessions soon after they began, though it took what was sent: if the network is sound, another "
          "client uses the id '" +
          device_ + "', too; give each device a name of its own with --device"};
}

LinkFault SessionBreaks::forbidden(Topic topic) const {
  const std::string& name = names_[static_cast<std::size_t>(topic)];
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(*of(topic).rest).count();
  if (topic == Topic::subscriptions) {
    return {LinkProblem::publish_forbidden,
            "the broker ends the session on each subscription to '" + name +
                "': its policy most likely lacks iot:Subscribe on arn:aws:iot:REGION:ACCOUNT:topicfilter/" +
                name + "; shadow and jobs rest for " + std::to_string(minutes) + " minutes, records go on"};
  }
  return {LinkProblem::publish_forbidden,
          "the broker ends the session on each publish to '" + name +
              "': its policy most likely lacks iot:Publish on arn:aws:iot:REGION:ACCOUNT:topic/" + name +
              "; nothing is published there for " + std::to_string(minutes) + " minutes, what waits is kept"};
}

}  // namespace glimpse
