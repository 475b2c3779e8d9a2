#include "telemetry/publisher.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "core/text.hpp"
#include "telemetry/link/mqtt_link.hpp"

namespace glimpse {
namespace {

using namespace std::chrono_literals;

// Ids of the two status messages, which no record has.
constexpr std::uint64_t online_id = 0, offline_id = std::numeric_limits<std::uint64_t>::max();
constexpr int last_attempts = 2;  // a session that breaks while finishing gets a second one
constexpr auto goodbye_limit = 400ms;
constexpr auto healthy = 30s;  // a session this long forgives what was before it

std::string status_json(const char* state, const std::string& version, const std::string& device) {
  return nlohmann::ordered_json{{"status", state}, {"version", version}, {"device", device}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::function<double()> uniform01() {
  return [engine = std::mt19937_64(std::random_device{}()),
          distribution = std::uniform_real_distribution<double>(0, 1)]() mutable {
    return distribution(engine);
  };
}

PublisherSeams real_world(const BrokerSettings& settings, const std::string& version) {
  return {make_mqtt_link(settings, status_json("offline", version, settings.device)), uniform01(),
          Steady::now, [](std::chrono::milliseconds pause) { return pause; }};
}

/// A peer that hangs up while OpenSSL writes must not end the process.
void ignore_broken_pipes() {
  sigset_t pipe_signal;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
}

}  // namespace

Publisher::Publisher(BrokerSettings settings, std::string version)
    : Publisher(settings, version, real_world(settings, version)) {}

Publisher::Publisher(BrokerSettings settings, std::string version, PublisherSeams seams)
    : settings_(std::move(settings)),
      version_(std::move(version)),
      telemetry_topic_(telemetry_topic(settings_.device)),
      status_topic_(status_topic(settings_.device)),
      seams_(std::move(seams)),
      backoff_(1s, 60s, seams_.random01) {
  status_.since = std::chrono::system_clock::now();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Publisher::~Publisher() {
  finish(Steady::duration::zero());
}

void Publisher::accept(const Record& record) {
  std::string payload = to_json(record);
  const std::lock_guard lock(mutex_);
  queue_.push(std::move(payload));
  wake_.notify_all();
}

PublisherStatus Publisher::status() const {
  const std::lock_guard lock(mutex_);
  PublisherStatus status = status_;
  status.pending = queue_.size();
  status.dropped = queue_.dropped();
  return status;
}

void Publisher::finish(Steady::duration patience) {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    finishing_ = true;
    wake_.notify_all();
    wake_.wait_for(lock, patience, [this] { return ended_; });
  }
  thread_.request_stop();
  thread_.join();
}

void Publisher::run(const std::stop_token& stop) {
  ignore_broken_pipes();
  bool again = true;
  while (again && !stop.stop_requested()) {
    const auto fault = connect(stop);
    if (stop.stop_requested() && fault) break;
    if (fault) {
      note_fault(*fault);
    } else {
      note_up();
      const auto began = seams_.now();
      if (serve(stop) == Ended::done) {
        say_goodbye();
        break;
      }
      if (seams_.now() - began >= healthy) backoff_.reset();
    }
    again = pause_before_retry(stop);
  }
  seams_.link->disconnect();
  const std::lock_guard lock(mutex_);
  queue_.requeue_in_flight();
  if (status_.up) status_.since = std::chrono::system_clock::now();
  status_.up = false;
  ended_ = true;
  wake_.notify_all();
}

std::optional<LinkFault> Publisher::connect(const std::stop_token& stop) {
  {
    const std::lock_guard lock(mutex_);
    lost_.reset();
    if (finishing_) ++last_attempts_;
  }
  LinkEvents events;
  events.acknowledged = [this](std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    if (id == offline_id) goodbye_acknowledged_ = true;
    if (queue_.acknowledge(id)) ++status_.sent;
    last_progress_ = seams_.now();
    wake_.notify_all();
  };
  events.lost = [this](const LinkFault& fault) {
    const std::lock_guard lock(mutex_);
    lost_ = fault;
    wake_.notify_all();
  };
  return seams_.link->connect(stop, connect_limit, std::move(events));
}

Publisher::Ended Publisher::serve(const std::stop_token& stop) {
  next_slot_ = seams_.now() + spacing;
  const bool greeted = seams_.link->publish(online_id, status_topic_, status_message("online"), true);
  std::unique_lock lock(mutex_);
  last_progress_ = seams_.now();
  if (!greeted && !lost_)
    lost_ = LinkFault{LinkProblem::lost, "the session ended before it began; it is tried again"};
  while (!lost_) {
    if (stop.stop_requested() || (finishing_ && queue_.size() == 0)) return Ended::done;
    const auto now = seams_.now();
    const bool waiting_for_ack = queue_.in_flight() > 0;
    if (waiting_for_ack && now - last_progress_ >= ack_limit) {
      lost_ = LinkFault{LinkProblem::lost, "the broker acknowledges nothing; a new session is tried"};
    } else if (!queue_.has_waiting() || queue_.in_flight() >= max_in_flight) {
      const auto changed = [this, finishing = finishing_, sent = status_.sent] {
        return lost_ || finishing_ != finishing || status_.sent != sent ||
               (queue_.has_waiting() && queue_.in_flight() < max_in_flight);
      };
      const auto limit = waiting_for_ack ? ack_limit - (now - last_progress_) : Steady::duration(1h);
      wake_.wait_for(lock, stop, limit, changed);
    } else if (now < next_slot_) {
      wake_.wait_for(lock, stop, next_slot_ - now, [this] { return lost_.has_value(); });
    } else {
      send_next(lock);
    }
  }
  const LinkFault fault = *lost_;
  queue_.requeue_in_flight();
  lock.unlock();
  seams_.link->disconnect();
  note_fault(fault);
  return Ended::lost;
}

void Publisher::send_next(std::unique_lock<std::mutex>& lock) {
  if (queue_.in_flight() == 0) last_progress_ = seams_.now();
  const MessageQueue::Message message = queue_.take();
  next_slot_ = seams_.now() + spacing;
  // The link calls back under locks of its own, so ours is open while we call it.
  lock.unlock();
  const bool taken = seams_.link->publish(message.id, telemetry_topic_, *message.payload, false);
  lock.lock();
  if (!taken && !lost_)
    lost_ = LinkFault{LinkProblem::lost, "the session takes no more messages; a new one is tried"};
}

void Publisher::say_goodbye() {
  if (!seams_.link->publish(offline_id, status_topic_, status_message("offline"), true)) return;
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, goodbye_limit, [this] { return goodbye_acknowledged_ || lost_; });
}

bool Publisher::pause_before_retry(const std::stop_token& stop) {
  const auto pause = seams_.pause(backoff_.next());
  std::unique_lock lock(mutex_);
  const auto finishing = [this] { return finishing_; };
  wake_.wait_for(lock, stop, pause, finishing);
  return !finishing_ || (queue_.size() > 0 && last_attempts_ < last_attempts);
}

std::string Publisher::status_message(const char* state) const {
  return status_json(state, version_, settings_.device);
}

void Publisher::note_up() {
  {
    const std::lock_guard lock(mutex_);
    status_.up = status_.ever_connected = true;
    status_.since = std::chrono::system_clock::now();
    last_problem_.reset();
  }
  spdlog::info("telemetry: connected to {} as {}", escape_control(settings_.uri),
               escape_control(settings_.device));
}

void Publisher::note_fault(const LinkFault& fault) {
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    if (status_.up) status_.since = std::chrono::system_clock::now();
    status_.up = false;
    status_.last_error = escape_control(fault.reason);
    status_.credentials_fault = is_credentials_fault(fault.problem);
    changed = last_problem_ != fault.problem;
    last_problem_ = fault.problem;
  }
  if (changed) spdlog::warn("telemetry: {}", escape_control(fault.reason));
}

}  // namespace glimpse
