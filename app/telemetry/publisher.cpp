#include "telemetry/publisher.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <random>

#include "core/text.hpp"
#include "core/unix_time.hpp"

namespace glimpse {
namespace {

using namespace std::chrono_literals;

constexpr int last_attempts = 2;  // a session that breaks while finishing gets a second one
constexpr auto healthy = 30s;     // a session this long forgives what was before it

std::function<double()> uniform01() {
  return [engine = std::mt19937_64(std::random_device{}()),
          distribution = std::uniform_real_distribution<double>(0, 1)]() mutable {
    return distribution(engine);
  };
}

PublisherSeams real_world(const BrokerSettings& settings, const StatusMessage& message) {
  return {make_mqtt_link(settings, [message] { return to_json("offline", message); }), uniform01(),
          Steady::now, [](std::chrono::milliseconds pause) { return pause; }};
}

/// A peer that hangs up while OpenSSL writes must not end the process.
void ignore_broken_pipes() {
  sigset_t pipe_signal;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
}

/// The names for SessionBreaks, in the order of its topics.
std::array<std::string, SessionBreaks::topics> names_of_topics(const BrokerSettings& settings) {
  const std::string of_thing = "$aws/things/" + settings.device + "/*";
  return {status_topic(settings.device), telemetry_topic(settings), of_thing, of_thing};
}

}  // namespace

Publisher::Publisher(const BrokerSettings& settings, const StatusMessage& message, Outbox& outbox,
                     std::vector<Conversation*> conversations)
    : Publisher(settings, message, outbox, std::move(conversations), real_world(settings, message)) {}

Publisher::Publisher(BrokerSettings settings, StatusMessage message, Outbox& outbox,
                     std::vector<Conversation*> conversations, PublisherSeams seams)
    : settings_(std::move(settings)),
      message_(std::move(message)),
      telemetry_topic_(telemetry_topic(settings_)),
      status_topic_(status_topic(settings_.device)),
      outbox_(outbox),
      conversations_(std::move(conversations)),
      seams_(std::move(seams)),
      backoff_(1s, 60s, seams_.random01),
      breaks_(settings_.device, names_of_topics(settings_)) {
  status_.link_since_ms = unix_ms();
  outbox_.set_on_change([this] { wake(); });
  conversations_.set_on_news([this] { wake(); });
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Publisher::~Publisher() {
  finish(Steady::duration::zero());
  conversations_.set_on_news(nullptr);
  outbox_.set_on_change(nullptr);
}

PublisherStatus Publisher::status() const {
  const Outbox::Counts counts = outbox_.counts();
  const std::lock_guard lock(mutex_);
  PublisherStatus status = status_;
  status.pending = counts.pending;
  status.dropped = counts.dropped;
  return status;
}

void Publisher::wake() {
  const std::lock_guard lock(mutex_);
  ++changes_;
  wake_.notify_all();
}

void Publisher::finish(Steady::duration patience) {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    finishing_ = true;
    ++changes_;
    wake_.notify_all();
    wake_.wait_for(lock, patience, [this] { return ended_; });
  }
  thread_.request_stop();
  thread_.join();
}

void Publisher::run(const std::stop_token& stop) {
  ignore_broken_pipes();
  pulse_->beat();
  bool again = true;
  while (again && !stop.stop_requested()) {
    const auto fault = connect(stop);
    if (stop.stop_requested() && fault) break;
    if (fault) {
      note_fault(*fault);
    } else {
      note_up();
      const auto began = seams_.now();
      const Ended ended = serve(stop);
      if (ended == Ended::done) {
        say_goodbye();
        break;
      }
      if (ended == Ended::renewed) continue;
      if (seams_.now() - began >= healthy) backoff_.reset();
    }
    again = pause_before_retry(stop);
  }
  seams_.link->disconnect();
  pulse_->rest();
  set_link(LinkState::closed);
  const std::lock_guard lock(mutex_);
  ended_ = true;
  wake_.notify_all();
}

std::optional<LinkFault> Publisher::connect(const std::stop_token& stop) {
  set_link(LinkState::connecting);
  (void)renew_credentials();
  {
    const std::lock_guard lock(mutex_);
    lost_.reset();
    attempt_began_ = seams_.now();
    if (finishing_) ++last_attempts_;
  }
  LinkEvents events;
  events.acknowledged = [this](std::uint64_t id) { acknowledged(static_cast<std::int64_t>(id)); };
  events.lost = [this](const LinkFault& fault) {
    const std::lock_guard lock(mutex_);
    lost_ = fault;
    ++changes_;
    wake_.notify_all();
  };
  events.waiting = [this] { pulse_->beat(connect_limit); };
  events.subscribed = [this](std::uint64_t id, bool granted) {
    subscribed(static_cast<std::int64_t>(id), granted);
  };
  events.received = [this](Message message) {
    conversations_.received(std::move(message));
    wake();
  };
  const Step step(*pulse_, connect_limit);
  return seams_.link->connect(stop, connect_limit, std::move(events));
}

void Publisher::acknowledged(std::int64_t id) {
  const bool is_request = Conversations::is_ours(id) && id != offline_id;
  const bool is_record = id != online_id && id != offline_id && !is_request && outbox_.acknowledge(id);
  const std::lock_guard lock(mutex_);
  if (id == offline_id) goodbye_acknowledged_ = true;
  if (id == online_id) breaks_.acknowledged(Topic::status);
  if (is_request) breaks_.acknowledged(Topic::requests);
  if (is_record) {
    breaks_.acknowledged(Topic::telemetry);
    ++status_.acknowledged;
  }
  acks_.acknowledged(id, seams_.now());
  ++changes_;
  wake_.notify_all();
}

void Publisher::subscribed(std::int64_t id, bool granted) {
  const bool all = conversations_.subscribed(id, granted);
  const std::lock_guard lock(mutex_);
  if (all) breaks_.acknowledged(Topic::subscriptions);
  acks_.acknowledged(id, seams_.now());
  ++changes_;
  wake_.notify_all();
}

bool Publisher::pause_before_retry(const std::stop_token& stop) {
  set_link(LinkState::waiting);
  const Rest rest(*pulse_);
  const auto jitter = backoff_.next();
  std::unique_lock lock(mutex_);
  const auto least =
      std::chrono::ceil<std::chrono::milliseconds>(attempt_began_ + between_attempts - seams_.now());
  const auto pause = std::max(jitter, least);
  lock.unlock();
  const auto waited = seams_.pause(pause);
  lock.lock();
  wake_.wait_for(lock, stop, waited, [this] { return finishing_; });
  if (!finishing_) return true;
  const bool more = last_attempts_ < last_attempts;
  lock.unlock();
  return more && outbox_.counts().pending > 0;
}

void Publisher::set_link(LinkState state) {
  const std::lock_guard lock(mutex_);
  if (status_.link != state) status_.link_since_ms = unix_ms();
  status_.link = state;
}

void Publisher::note_up() {
  set_link(LinkState::connected);
  {
    const std::lock_guard lock(mutex_);
    status_.ever_connected = true;
    last_problem_.reset();
  }
  spdlog::info("telemetry: connected to {} as {}", escape_control(settings_.uri),
               escape_control(settings_.device));
}

void Publisher::note_fault(const LinkFault& fault) {
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    changed = last_problem_ != fault.problem;
    last_problem_ = fault.problem;
    if (changed) status_.last_error_ms = unix_ms();
    status_.last_error = escape_control(fault.reason);
    status_.credentials_fault = is_credentials_fault(fault.problem);
  }
  if (changed) spdlog::warn("telemetry: {}", escape_control(fault.reason));
}

}  // namespace glimpse
