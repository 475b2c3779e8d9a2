#include "telemetry/publisher.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "captured_log.hpp"
#include "catch.hpp"
#include "telemetry/link/mqtt_link.hpp"
#include "temp_folder.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {

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
  int attempts = 0;
  std::vector<Publish> published;
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
  void disconnect() override {}
  CredentialNews refresh_credentials() override {
    const std::lock_guard lock(net_->mutex);
    return {std::exchange(net_->renewed, false), "new certificate"};
  }

 private:
  std::shared_ptr<Network> net_;
};

PublisherSeams seams(const std::shared_ptr<Network>& net) {
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

BrokerSettings settings() {
  BrokerSettings broker;
  broker.uri = "mqtts://broker.example";
  broker.device = "thing";
  return broker;
}

Record record(std::uint64_t seq) {
  Record made;
  made.device = "thing";
  made.seq = seq;
  return made;
}

StatusMessage message() {
  return {"1.2.3", "thing", "boot", {"demo", true, "onednn", "abc"}};
}

/// An outbox in a folder of its own, and the publisher that sends from it.
class Device {
 public:
  explicit Device(PublisherSeams seams, Drain drain = Drain::fifo)
      : outbox({(folder_.path() / "outbox.db").string(), 64'000'000, std::chrono::hours(1),
                std::chrono::seconds(1), drain},
               nullptr),
        publisher(settings(), message(), outbox, std::move(seams)) {}
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

const LinkFault refused{LinkProblem::unreachable, "nothing listens"};
const LinkFault wrong_ca{LinkProblem::wrong_ca, "wrong\nCA"};

std::vector<std::uint64_t> one_to(std::uint64_t last) {
  std::vector<std::uint64_t> list;
  for (std::uint64_t i = 1; i <= last; ++i) list.push_back(i);
  return list;
}

}  // namespace

TEST_CASE(
    "online with version and model, records in order, offline: each on its topic, the status retained") {
  const auto net = std::make_shared<Network>();
  Device device(seams(net));
  device.accept(1, 50);
  device.publisher.finish(60s);
  const PublisherStatus status = device.publisher.status();
  CHECK(status.sent == 50);
  CHECK(status.acknowledged == 50);
  CHECK(status.resent == 0);
  CHECK(status.pending == 0);
  CHECK(status.link == LinkState::closed);
  REQUIRE(net->published.size() == 52);
  CHECK(net->published.front().topic == "glimpse/v1/thing/status");
  CHECK(net->published.front().payload ==
        R"({"status":"online","version":"1.2.3","device":"thing","boot":"boot",)"
        R"("model":{"name":"demo","quantized":true,"backend":"onednn","sha256":"abc"}})");
  CHECK(net->published.front().retained);
  CHECK(nlohmann::json::parse(net->published.back().payload)["status"] == "offline");
  CHECK(net->published.back().retained);
  CHECK(net->published[1].topic == "glimpse/v1/thing/telemetry");
  CHECK_FALSE(net->published[1].retained);
  CHECK(net->seqs() == one_to(50));
}

TEST_CASE("until the first of a topic is acknowledged it goes alone; then at most 20 are unacknowledged") {
  const auto net = std::make_shared<Network>();
  net->unacknowledged_from = 0;  // not even the status
  Device device(seams(net));
  device.accept(1, 30);
  REQUIRE(net->wait([&] { return net->published.size() == 1; }));
  net->acknowledge_up_to(0);
  REQUIRE(net->wait([&] { return net->published.size() == 2; }));
  net->acknowledge_up_to(1);
  const bool all = net->wait([&] { return net->published.size() == 22; });
  CAPTURE(net->published.size());
  REQUIRE(all);
  CHECK(device.publisher.status().pending == 29);
  CHECK(device.publisher.status().acknowledged == 1);
}

TEST_CASE("a broken session sends what is unacknowledged again, in order, counted as resent") {
  const auto net = std::make_shared<Network>();
  net->unacknowledged_from = 2;  // the status and the first record are acknowledged
  Device device(seams(net));
  device.accept(1, 30);
  const bool all = net->wait([&] { return net->published.size() == 22; });
  CAPTURE(net->published.size());
  REQUIRE(all);
  {
    const std::lock_guard lock(net->mutex);
    net->unacknowledged_from.reset();
    net->published.clear();
  }
  net->break_session();
  device.publisher.finish(60s);
  const PublisherStatus status = device.publisher.status();
  CHECK(status.acknowledged == 30);
  CHECK(status.sent == 30);
  CHECK(status.resent == 20);
  auto expected = one_to(30);
  expected.erase(expected.begin());
  CHECK(net->seqs() == expected);
}

TEST_CASE(
    "after a long outage the newest goes first and live records before the backlog, unless fifo is asked "
    "for") {
  for (const Drain drain : {Drain::newest, Drain::fifo}) {
    const auto net = std::make_shared<Network>();
    net->black_hole = true;
    Device device(seams(net), drain);
    device.accept(1, 600);
    REQUIRE(net->wait([&] { return net->attempts == 1; }));
    {
      const std::lock_guard lock(net->mutex);
      net->black_hole = false;
    }
    net->changed.notify_all();
    device.publisher.finish(60s);
    auto expected = one_to(600);
    if (drain == Drain::newest) std::rotate(expected.begin(), expected.end() - 1, expected.end());
    CHECK(net->seqs() == expected);
  }
}

TEST_CASE("back-off doubles from 1 s to 60 s, and a session of 30 s resets it") {
  const auto net = std::make_shared<Network>();
  net->connects.assign(9, refused);
  net->connects.push_back(std::nullopt);  // the tenth and all after it
  Device device(seams(net));
  REQUIRE(net->wait([&] { return net->attempts == 10 && !net->published.empty(); }));
  {
    const std::lock_guard lock(net->mutex);
    // The first would be 999 ms after an attempt that took no time: at most one a second.
    const std::vector<std::chrono::milliseconds> expected{1000ms,  1998ms,  3996ms,  7992ms, 15984ms,
                                                          31968ms, 59940ms, 59940ms, 59940ms};
    CHECK(net->pauses == expected);
  }
  net->break_session();  // after far less than 30 s
  REQUIRE(net->wait([&] { return net->attempts == 11 && net->published.size() == 2; }));
  CHECK(net->pauses.back() == 59940ms);
  {
    const std::lock_guard lock(net->mutex);
    net->now += 31s;
  }
  net->break_session();
  REQUIRE(net->wait([&] { return net->attempts == 12; }));
  CHECK(net->pauses.back() == 999ms);
}

TEST_CASE("attempts begin at least a second apart, whatever the jitter is") {
  const auto net = std::make_shared<Network>();
  net->connects = {refused};
  PublisherSeams lucky = seams(net);
  lucky.random01 = [] { return 0.0; };
  Device device(std::move(lucky));
  REQUIRE(net->wait([&] { return net->attempts >= 5; }));
  const std::lock_guard lock(net->mutex);
  for (const auto pause : net->pauses) CHECK(pause == 1000ms);
}

TEST_CASE("a fault is logged once per change, on one line, and kept in the status") {
  const auto net = std::make_shared<Network>();
  net->connects = {refused, refused, refused, wrong_ca, wrong_ca, refused, std::nullopt};
  const CapturedLog log;
  Device device(seams(net));
  device.accept(1, 1);
  REQUIRE(net->wait([&] { return net->published.size() == 2; }));
  device.publisher.finish(60s);
  CHECK(log.count("nothing listens") == 2);
  CHECK(log.count("wrong\\x0aCA") == 1);
  CHECK(log.count("connected to") == 1);
  const PublisherStatus status = device.publisher.status();
  CHECK(status.last_error == "nothing listens");
  CHECK(status.last_error_ms >= status.link_since_ms - 60'000);
  CHECK_FALSE(status.credentials_fault);
  CHECK(status.ever_connected);
}

TEST_CASE("a credentials fault is marked as one, for exit code 77; what was not sent is kept") {
  const auto net = std::make_shared<Network>();
  net->connects = {wrong_ca};
  Device device(seams(net));
  device.accept(1, 1);
  REQUIRE(net->wait([&] { return net->attempts >= 3; }));
  device.publisher.finish(0s);
  CHECK(device.publisher.status().credentials_fault);
  CHECK_FALSE(device.publisher.status().ever_connected);
  CHECK(device.publisher.status().pending == 1);
}

TEST_CASE("a topic on which each publish ends the session is set aside, and the session then stands") {
  const auto net = std::make_shared<Network>();
  net->break_on = "telemetry";
  const CapturedLog log;
  Device device(seams(net));
  device.accept(1, 3);
  REQUIRE(net->wait([&] { return net->attempts == 4 && net->seqs().size() == 3; }));
  REQUIRE(net->wait([&] { return net->published.size() == 7; }));  // four times online, three records
  CHECK(log.count("iot:Publish on arn:aws:iot:REGION:ACCOUNT:topic/glimpse/v1/thing/telemetry") == 1);
  CHECK(device.publisher.status().pending == 3);
  CHECK_THAT(device.publisher.status().last_error, ContainsSubstring("iot:Publish"));
  {
    const std::lock_guard lock(net->mutex);
    net->break_on.clear();  // somebody mends the policy
    net->now += 5min;
  }
  device.publisher.finish(60s);
  CHECK(device.publisher.status().pending == 0);
  CHECK(net->attempts == 4);
}

TEST_CASE("renewed credentials are used within seconds, by a session begun at once") {
  const auto net = std::make_shared<Network>();
  const CapturedLog log;
  Device device(seams(net));
  REQUIRE(net->wait([&] { return net->published.size() == 1; }));
  {
    const std::lock_guard lock(net->mutex);
    net->renewed = true;
    net->now += 5s;
  }
  REQUIRE(net->wait([&] { return net->attempts == 2; }));
  CHECK(net->pauses.empty());
  device.accept(1, 1);
  device.publisher.finish(60s);
  CHECK(device.publisher.status().acknowledged == 1);
  CHECK(log.count("new certificate") >= 1);
}

TEST_CASE("a stop ends a connection attempt at once") {
  const auto net = std::make_shared<Network>();
  net->black_hole = true;
  Device device(seams(net));
  device.accept(1, 1);
  REQUIRE(net->wait([&] { return net->attempts == 1; }));
  const auto began = Steady::now();
  device.publisher.finish(100ms);
  CHECK(Steady::now() - began < 1s);
}

TEST_CASE("finishing without a link makes at most two more attempts and does not wait for its patience") {
  const auto net = std::make_shared<Network>();
  net->connects = {refused};
  PublisherSeams slow = seams(net);
  slow.pause = [](std::chrono::milliseconds) { return std::chrono::milliseconds(1h); };
  Device device(std::move(slow));
  device.accept(1, 1);
  REQUIRE(net->wait([&] { return net->attempts == 1; }));
  const auto began = Steady::now();
  device.publisher.finish(1min);
  CHECK(Steady::now() - began < 10s);
  CHECK(net->attempts <= 3);
  CHECK(net->attempts >= 2);
}

TEST_CASE("a broker that acknowledges nothing for 30 s gets a new session") {
  const auto net = std::make_shared<Network>();
  net->unacknowledged_from = 1;
  Device device(seams(net));
  device.accept(1, 1);
  REQUIRE(net->wait([&] { return net->published.size() == 2; }));
  {
    const std::lock_guard lock(net->mutex);
    net->now += 31s;
    net->unacknowledged_from.reset();
  }
  REQUIRE(net->wait([&] { return net->attempts == 2; }));
  device.publisher.finish(60s);
  CHECK(device.publisher.status().acknowledged == 1);
}

TEST_CASE("at most 100 publishes and 512 KB a second") {
  struct Load {
    std::uint64_t records;
    std::size_t bytes;
    Steady::duration least;
  };
  for (const Load& load : {Load{30, 0, 290ms}, Load{5, 102'400, 750ms}}) {
    const auto net = std::make_shared<Network>();
    PublisherSeams real_time = seams(net);
    real_time.now = Steady::now;
    Device device(std::move(real_time));
    const auto began = Steady::now();
    for (std::uint64_t seq = 1; seq <= load.records; ++seq) {
      Record it = record(seq);
      while (to_json(it).size() < load.bytes)
        it.predictions.insert(it.predictions.end(), 10, {0, std::string(250, 'x'), 0.1});
      device.outbox.accept(it);
    }
    device.publisher.finish(60s);
    CHECK(device.publisher.status().acknowledged == load.records);
    CHECK(Steady::now() - began >= load.least);
  }
}

namespace {

bool is_stuck(const Publisher& publisher, Steady::duration later) {
  const auto busy = publisher.pulse()->busy_for(Steady::now() + later);
  return busy && *busy > 30s;
}

/// Whether somebody who looks this much later comes to see the publisher so, and goes on seeing it so.
bool becomes(bool stuck, const Publisher& publisher, Steady::duration later) {
  const auto until = Steady::now() + 60s;
  for (auto since = Steady::now(); Steady::now() < until; std::this_thread::yield()) {
    if (is_stuck(publisher, later) != stuck) since = Steady::now();
    if (Steady::now() - since > 20ms) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("Waiting for work or for the next attempt is no step of the publisher") {
  const auto net = std::make_shared<Network>();
  bool breaks = false, pauses = true;
  SECTION("for work") {
    pauses = false;
  }
  SECTION("after an attempt that was refused") {
    net->connects = {refused};
  }
  SECTION("after a session that broke") {
    breaks = true;
  }
  PublisherSeams slow = seams(net);
  slow.pause = [net](std::chrono::milliseconds pause) {
    const std::lock_guard lock(net->mutex);
    net->pauses.push_back(pause);
    net->changed.notify_all();
    return 3'600'000ms;
  };
  Device device(std::move(slow));
  REQUIRE(net->wait([&] { return !net->connects.empty() || !net->published.empty(); }));
  if (breaks) net->break_session();
  REQUIRE(net->wait([&] { return net->pauses.size() == (pauses ? 1 : 0); }));
  CHECK(becomes(false, device.publisher, 1h));
}

TEST_CASE("A publisher that waits for the clock gives signs of life") {
  const auto net = std::make_shared<Network>();
  net->no_clock = true;
  Device device(seams(net));
  REQUIRE(net->wait([&] { return net->attempts == 1; }));
  const auto look = Steady::now() + 1h;
  const auto busy = device.publisher.pulse()->busy_for(look);
  REQUIRE(busy);
  const auto is_younger = [&] { return *device.publisher.pulse()->busy_for(look) < *busy; };
  for (const auto until = Steady::now() + 60s; !is_younger() && Steady::now() < until;)
    std::this_thread::yield();
  CHECK(is_younger());
  CHECK_FALSE(is_stuck(device.publisher, 59s));  // each look lets it have connect()'s 30 s anew
  const std::lock_guard lock(net->mutex);
  net->no_clock = false;
}

TEST_CASE("A publisher that hangs in the link is busy; connecting may take its 30 s") {
  const auto net = std::make_shared<Network>();
  SECTION("while it connects") {
    net->black_hole = true;
  }
  SECTION("while it publishes") {
    net->hang_on = "/status";
  }
  Device device(seams(net));
  REQUIRE(net->wait([&] { return net->attempts == 1 && (net->black_hole || !net->published.empty()); }));
  CHECK(becomes(true, device.publisher, 1h));
  if (net->black_hole) CHECK(becomes(false, device.publisher, 59s));
  {
    const std::lock_guard lock(net->mutex);
    net->black_hole = false;
    net->hang_on.clear();
    net->changed.notify_all();
  }
  CHECK(becomes(false, device.publisher, 1h));
}
