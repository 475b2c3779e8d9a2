// A publisher with an outbox of its own, and a network that does as it is told.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "telemetry/link/mqtt_link.hpp"
#include "telemetry/outbox/outbox.hpp"
#include "telemetry/publisher.hpp"
#include "temp_folder.hpp"

namespace glimpse::test {

using namespace std::chrono_literals;

/// What the fake network does and saw. Shared with the fake link, which the publisher owns.
struct Network {
  struct Publish {
    std::uint64_t id;
    std::string topic, payload;
    bool retained;
  };

  std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<std::optional<LinkFault>> connects;  // answers to connect(), the last one again and again
  std::optional<std::size_t> unacknowledged_from;  // this publish and all after it get no PUBACK
  std::string break_on;     // a publish to a topic that ends so ends the session instead
  bool renewed = false;     // key and certificate
  bool black_hole = false;  // connect() waits for the stop or its limit
  bool no_clock = false;    // connect() waits, and says so, until the clock is set
  std::string hang_on;      // a publish to a topic that ends so does not come back meanwhile
  std::string refuse;       // a topic filter that nobody may subscribe to
  int attempts = 0;
  std::vector<Publish> published;
  std::vector<std::string> subscribed;
  std::vector<std::chrono::milliseconds> pauses;
  LinkEvents events;
  Steady::time_point now{};

  template <typename Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 60s, condition);
  }
  [[nodiscard]] std::vector<std::uint64_t> seqs() const {
    std::vector<std::uint64_t> list;
    for (const auto& it : published) {
      const auto json = nlohmann::json::parse(it.payload);
      if (json.contains("seq")) list.push_back(json["seq"]);
    }
    return list;
  }
  /// The PUBACK of this publish comes late.
  void acknowledge_up_to(std::size_t index) {
    LinkEvents current;
    std::uint64_t id = 0;
    {
      const std::lock_guard lock(mutex);
      current = events;
      id = published.at(index).id;
      unacknowledged_from = index + 1;
    }
    current.acknowledged(id);
  }
  void break_session() {
    LinkEvents current;
    {
      const std::lock_guard lock(mutex);
      current = events;
    }
    current.lost({LinkProblem::lost, "cut"});
  }
};

class FakeLink : public Link {
 public:
  explicit FakeLink(std::shared_ptr<Network> network) : net_(std::move(network)) {}
  std::optional<LinkFault> connect(const std::stop_token& stop, Steady::duration limit,
                                   LinkEvents events) override {
    std::unique_lock lock(net_->mutex);
    const auto attempt = static_cast<std::size_t>(net_->attempts++);
    net_->changed.notify_all();
    while (net_->no_clock && !stop.stop_requested()) {
      lock.unlock();
      events.waiting();
      std::this_thread::yield();
      lock.lock();
    }
    if (net_->black_hole) {
      net_->changed.wait_for(lock, stop, limit, [this] { return !net_->black_hole; });
      return LinkFault{LinkProblem::timed_out, "silence"};
    }
    net_->events = std::move(events);
    return net_->connects.empty() ? std::nullopt
                                  : net_->connects[std::min(attempt, net_->connects.size() - 1)];
  }
  bool publish(std::uint64_t id, const std::string& topic, const std::string& payload,
               bool retained) override {
    LinkEvents events;
    bool breaks = false;
    {
      std::unique_lock lock(net_->mutex);
      net_->published.push_back({id, topic, payload, retained});
      net_->changed.notify_all();
      net_->changed.wait(lock, [&] { return net_->hang_on.empty() || !topic.ends_with(net_->hang_on); });
      net_->now += 10ms;  // so that the limit of 100 a second does not slow the test
      events = net_->events;
      if (net_->unacknowledged_from && net_->published.size() > *net_->unacknowledged_from)
        events.acknowledged = [](std::uint64_t) {};
      breaks = !net_->break_on.empty() && topic.ends_with(net_->break_on);
    }
    if (breaks) {
      events.lost({LinkProblem::lost, "cut"});
    } else {
      events.acknowledged(id);
    }
    net_->changed.notify_all();
    return true;
  }
  bool subscribe(std::uint64_t id, const std::string& filter) override {
    LinkEvents events;
    bool granted = true;
    {
      const std::lock_guard lock(net_->mutex);
      net_->subscribed.push_back(filter);
      net_->now += 10ms;
      net_->changed.notify_all();
      granted = filter != net_->refuse;
      events = net_->events;
      if (filter == net_->break_on) {
        events.subscribed = [lost = events.lost](std::uint64_t, bool) { lost({LinkProblem::lost, "cut"}); };
      }
    }
    events.subscribed(id, granted);
    return true;
  }
  void disconnect() override {}
  CredentialNews refresh_credentials() override {
    const std::lock_guard lock(net_->mutex);
    return {std::exchange(net_->renewed, false), "new certificate"};
  }

 private:
  std::shared_ptr<Network> net_;
};

inline PublisherSeams seams(const std::shared_ptr<Network>& net) {
  return {std::make_unique<FakeLink>(net), [] { return 0.999; },
          [net] {
            const std::lock_guard lock(net->mutex);
            return net->now;
          },
          [net](std::chrono::milliseconds pause) {
            const std::lock_guard lock(net->mutex);
            net->pauses.push_back(pause);
            return 0ms;
          }};
}

inline BrokerSettings settings() {
  BrokerSettings broker;
  broker.uri = "mqtts://broker.example";
  broker.device = "thing";
  return broker;
}

inline Record record(std::uint64_t seq) {
  Record made;
  made.device = "thing";
  made.seq = seq;
  return made;
}

inline StatusMessage message() {
  return {"1.2.3", "thing", "boot", [] { return ModelIdentity{"demo", true, "onednn", "abc"}; }};
}

/// An outbox in a folder of its own, and the publisher that sends from it.
class Device {
 public:
  explicit Device(PublisherSeams seams, Drain drain = Drain::fifo,
                  std::vector<Conversation*> conversations = {})
      : outbox({(folder_.path() / "outbox.db").string(), 64'000'000, std::chrono::hours(1),
                std::chrono::seconds(1), drain},
               nullptr),
        publisher(settings(), message(), outbox, std::move(conversations), std::move(seams)) {}
  void accept(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t seq = first; seq <= last; ++seq) outbox.accept(record(seq));
    REQUIRE(outbox.flush(60s));
  }

 private:
  TempFolder folder_;

 public:
  Outbox outbox;
  Publisher publisher;
};

inline const LinkFault refused{LinkProblem::unreachable, "nothing listens"};

}  // namespace glimpse::test
