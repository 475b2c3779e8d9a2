#include <condition_variable>
#include <mutex>
#include <set>

#include "device/identity.hpp"
#include "diagnosis/failure.hpp"
#include "diagnosis/link.hpp"
#include "telemetry/link/mqtt_link.hpp"

namespace glimpse {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 5s;  // with each answer of a broker that has let us in

/// What the broker has said so far.
class Answers {
 public:
  [[nodiscard]] LinkEvents events() {
    return {[this](std::uint64_t id) { note([&] { acknowledged_.insert(id); }); },
            [this](const LinkFault&) { note([&] { lost_ = true; }); },
            {},
            [this](std::uint64_t, bool granted) { note([&] { granted_ = granted; }); },
            [this](const Message& message) { note([&] { received_.insert(message.payload); }); }};
  }
  /// True once it has come; false where the session ended first or patience did.
  [[nodiscard]] bool acknowledged(std::uint64_t id) {
    return wait([&] { return acknowledged_.contains(id); });
  }
  [[nodiscard]] bool subscribed() {
    return wait([&] { return granted_.has_value(); }) && granted_.value_or(false);
  }
  [[nodiscard]] bool received(const std::string& payload) {
    return wait([&] { return received_.contains(payload); });
  }
  [[nodiscard]] bool lost() {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  template <class Change>
  void note(const Change& change) {
    const std::lock_guard lock(mutex_);
    change();
    news_.notify_all();
  }
  template <class Condition>
  bool wait(const Condition& condition) {
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, patience, [&] { return lost_ || condition(); });
    return condition();
  }

  std::mutex mutex_;  // guards all below
  std::condition_variable news_;
  std::set<std::uint64_t> acknowledged_;
  std::set<std::string> received_;
  std::optional<bool> granted_;
  bool lost_ = false;
};

/// A PUBACK alone says little: mosquitto sends one for what its ACL then drops. (AWS ends the session
/// instead.) So the message is also asked back.
Check check_publish(Link& link, Answers& answers, const BrokerSettings& broker) {
  const std::string topic = "glimpse/v1/" + broker.device + "/doctor";
  const std::string payload = R"({"doctor": ")" + new_boot_id() + "\"}";
  const std::string records = broker.basic_ingest.empty()
                                  ? ""
                                  : "; records go to " + telemetry_topic(broker) + ", which was not tried";
  const char* const name = "publish";
  if (!link.publish(1, topic, payload, false) || !answers.acknowledged(1)) {
    if (!answers.lost())
      return Check::fail(name, "no acknowledgement for " + topic + " within 5 s", "see the broker's log",
                         ExitCode::unavailable);
    return Check::fail(
        name,
        "the session ended on a publish to " + topic + ": it is forbidden, or another client came as " +
            broker.device,
        "let the broker's policy allow it (docs/aws.md), and no other program log in as " + broker.device,
        ExitCode::credentials);
  }
  if (!link.subscribe(2, topic) || !answers.subscribed())
    return Check::ok(name, topic + " was acknowledged; it may not be read back" + records);
  if (link.publish(3, topic, payload, false) && answers.received(payload))
    return Check::ok(name, topic + " was acknowledged, and came back" + records);
  return Check::warn(
      name,
      topic + " was acknowledged and did not come back: this device may not write to it, or not read it" +
          records,
      "see the broker's log and ACL");
}

Check not_tried(const Running& running, const std::string& device) {
  using How = Running::How;
  const std::string who = "glimpse run" + (running.pid > 0 ? ", pid " + std::to_string(running.pid) : "");
  const std::string how = running.how == How::perhaps          ? " is another user's and may be"
                          : running.how == How::without_outbox ? " has no outbox open and may be"
                                                               : " is";
  return Check::ok("login",
                   "not tried: " + who + how + " logged in as " + device +
                       ", and the broker would end its session" +
                       (running.status.empty() ? "" : "; it says: " + running.status),
                   "journalctl -u glimpse tells of its link");
}

}  // namespace

Checks check_session(const BrokerSettings& broker, const std::function<std::optional<Running>()>& running,
                     const LinkLimits& limits) {
  if (const auto other = running()) return {not_tried(*other, broker.device)};
  Answers answers;
  const auto link = make_mqtt_link(broker, nullptr, {std::chrono::system_clock::now, 1s, limits});
  if (const auto fault = link->connect({}, 30s, answers.events())) return {failure("login", *fault)};
  Checks checks{Check::ok("login", "the broker lets " + broker.device + " in")};
  checks.push_back(check_publish(*link, answers, broker));
  if (const auto other = running(); other && answers.lost()) return {not_tried(*other, broker.device)};
  link->disconnect();
  return checks;
}

}  // namespace glimpse
