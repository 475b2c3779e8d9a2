#include "telemetry/aws/claim_session.hpp"

#include <utility>

namespace glimpse {
namespace {

constexpr const char* policy =
    "its policy must allow that, for this --template (scripts/aws/provisioning.yaml has one)";

[[noreturn]] void stopped() {
  throw Error(ExitCode::interrupted, "stopped before it was done; run it again: it goes on where it was");
}

std::string seconds(Steady::duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

}  // namespace

Error error_of(const LinkFault& fault, const std::string& what) {
  std::string reason = fault.reason;
  const auto replace = [&reason](const std::string& from, const std::string& to) {
    if (const auto at = reason.find(from); at != std::string::npos) reason.replace(at, from.size(), to);
  };
  replace("it is tried again by itself", "run it again");
  replace("so telemetry waits until it is set", "so nothing was sent; set it");
  return {is_credentials_fault(fault.problem) ? ExitCode::credentials : ExitCode::unavailable,
          what + ": " + reason};
}

ClaimSession::ClaimSession(std::unique_ptr<Link> link, std::string server, Steady::duration limit,
                           std::stop_token stop, const std::vector<std::string>& topics)
    : link_(std::move(link)), server_(std::move(server)), limit_(limit), stop_(std::move(stop)) {
  LinkEvents events;
  events.acknowledged = [](std::uint64_t) {};  // the answer says more
  events.lost = [this](const LinkFault&) {
    const std::lock_guard lock(mutex_);
    lost_ = true;
    changed_.notify_all();
  };
  events.waiting = [] {};
  events.subscribed = [this](std::uint64_t, bool granted) {
    const std::lock_guard lock(mutex_);
    granted_ = granted;
    changed_.notify_all();
  };
  events.received = [this](Message message) { take(std::move(message)); };
  if (const auto fault = link_->connect(stop_, limit_, std::move(events))) {
    if (stop_.stop_requested()) stopped();
    throw error_of(*fault, "not let in with the claim");
  }
  try {
    for (const std::string& topic : topics) {
      listen(topic + "/accepted");
      listen(topic + "/rejected");
    }
  } catch (...) {
    link_->disconnect();
    throw;
  }
}

ClaimSession::~ClaimSession() {
  link_->disconnect();
}

ClaimSession::Answer ClaimSession::ask(const std::string& topic, const std::string& payload,
                                       const std::string& what) {
  const std::string asked = "asked for " + what + " (" + topic + ")";
  std::unique_lock lock(mutex_);
  asked_ = topic;
  answer_.reset();
  lock.unlock();
  if (!link_->publish(next_id_++, topic, payload, false)) {
    lock.lock();
    lost_ = true;
    lock.unlock();
  }
  lock.lock();
  if (!wait(
          lock, [this] { return answer_.has_value(); }, asked)) {
    throw Error(ExitCode::unavailable, server_ + " gave no answer within " + seconds(limit_) + " when " +
                                           asked + "; check --template, then run it again");
  }
  asked_.clear();
  return std::move(*answer_);
}

void ClaimSession::listen(const std::string& filter) {
  std::unique_lock lock(mutex_);
  granted_.reset();
  lock.unlock();
  if (!link_->subscribe(next_id_++, filter)) {
    lock.lock();
    lost_ = true;
    lock.unlock();
  }
  lock.lock();
  const std::string asked = "asked to send the claim " + filter;
  if (!wait(
          lock, [this] { return granted_.has_value(); }, asked)) {
    throw Error(ExitCode::unavailable,
                server_ + " gave no answer within " + seconds(limit_) + " when " + asked + "; run it again");
  }
  if (!*granted_)
    throw Error(ExitCode::credentials, server_ + " does not send the claim " + filter + ": " + policy);
}

/// The first answer counts: QoS 1 may bring it twice.
void ClaimSession::take(Message message) {
  const std::lock_guard lock(mutex_);
  if (asked_.empty() || answer_) return;
  const bool accepted = message.topic == asked_ + "/accepted";
  if (!accepted && message.topic != asked_ + "/rejected") return;
  answer_ = Answer{accepted, std::move(message.payload)};
  changed_.notify_all();
}

template <typename Done>
bool ClaimSession::wait(std::unique_lock<std::mutex>& lock, Done done, const std::string& what) {
  changed_.wait_for(lock, stop_, limit_, [&] { return done() || lost_; });
  if (done()) return true;
  if (stop_.stop_requested()) stopped();
  if (lost_) {
    throw Error(ExitCode::credentials, server_ + " ended the session when " + what +
                                           ". AWS does so where the claim may not: " + policy +
                                           "; was it the network, run it again");
  }
  return false;
}

}  // namespace glimpse
