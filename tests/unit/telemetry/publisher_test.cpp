#include "telemetry/publisher.hpp"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "catch.hpp"
#include "telemetry/link/mqtt_link.hpp"

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
  bool acknowledge = true;
  bool black_hole = false;  // connect() waits for the stop or its limit
  int attempts = 0;
  std::vector<Publish> published;
  std::vector<std::chrono::milliseconds> pauses;
  LinkEvents events;
  Steady::time_point now{};

  template <typename Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 10s, condition);
  }
  [[nodiscard]] std::vector<std::uint64_t> seqs() const {
    std::vector<std::uint64_t> list;
    for (const auto& it : published) {
      const auto json = nlohmann::json::parse(it.payload);
      if (json.contains("seq")) list.push_back(json["seq"]);
    }
    return list;
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
    if (net_->black_hole) {
      net_->changed.wait_for(lock, stop, limit, [] { return false; });
      return LinkFault{LinkProblem::timed_out, "silence"};
    }
    net_->events = std::move(events);
    return net_->connects.empty() ? std::nullopt
                                  : net_->connects[std::min(attempt, net_->connects.size() - 1)];
  }
  bool publish(std::uint64_t id, const std::string& topic, const std::string& payload,
               bool retained) override {
    LinkEvents events;
    {
      const std::lock_guard lock(net_->mutex);
      net_->published.push_back({id, topic, payload, retained});
      net_->now += 10ms;  // so that the limit of 100 a second does not slow the test
      events = net_->events;
      if (!net_->acknowledge) events.acknowledged = [](std::uint64_t) {};
    }
    events.acknowledged(id);
    net_->changed.notify_all();
    return true;
  }
  void disconnect() override {}

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

/// The log of one test, in place of stderr.
class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }
  [[nodiscard]] int count(const std::string& part) const {
    int found = 0;
    const std::string all = text_.str();
    for (auto at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++found;
    return found;
  }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

const LinkFault refused{LinkProblem::unreachable, "nothing listens"};
const LinkFault wrong_ca{LinkProblem::wrong_ca, "wrong\nCA"};

}  // namespace

TEST_CASE("online, records in order, offline: each on its topic, the status retained") {
  const auto net = std::make_shared<Network>();
  Publisher publisher(settings(), "1.2.3", seams(net));
  for (int i = 1; i <= 50; ++i) publisher.accept(record(i));
  publisher.finish(10s);
  CHECK(publisher.status().sent == 50);
  CHECK(publisher.status().pending == 0);
  CHECK_FALSE(publisher.status().up);
  REQUIRE(net->published.size() == 52);
  CHECK(net->published.front().topic == "glimpse/v1/thing/status");
  CHECK(net->published.front().payload == R"({"status":"online","version":"1.2.3","device":"thing"})");
  CHECK(net->published.front().retained);
  CHECK(net->published.back().payload == R"({"status":"offline","version":"1.2.3","device":"thing"})");
  CHECK(net->published.back().retained);
  CHECK(net->published[1].topic == "glimpse/v1/thing/telemetry");
  CHECK_FALSE(net->published[1].retained);
  for (std::uint64_t i = 0; i < 50; ++i) CHECK(net->seqs()[i] == i + 1);
}

TEST_CASE("at most 20 are unacknowledged, and a broken session sends them again in order") {
  const auto net = std::make_shared<Network>();
  net->acknowledge = false;
  Publisher publisher(settings(), "1", seams(net));
  for (int i = 1; i <= 30; ++i) publisher.accept(record(i));
  REQUIRE(net->wait([&] { return net->published.size() == 21; }));  // online and 20 records
  CHECK(publisher.status().pending == 30);
  CHECK(publisher.status().sent == 0);
  {
    const std::lock_guard lock(net->mutex);
    net->acknowledge = true;
    net->published.clear();
  }
  net->break_session();
  publisher.finish(10s);
  CHECK(publisher.status().sent == 30);
  std::vector<std::uint64_t> expected(30);
  for (std::size_t i = 0; i < 30; ++i) expected[i] = i + 1;
  CHECK(net->seqs() == expected);
}

TEST_CASE("back-off doubles from 1 s to 60 s, and a session of 30 s resets it") {
  const auto net = std::make_shared<Network>();
  net->connects.assign(9, refused);
  net->connects.push_back(std::nullopt);  // the tenth and all after it
  Publisher publisher(settings(), "1", seams(net));
  REQUIRE(net->wait([&] { return net->attempts == 10 && !net->published.empty(); }));
  {
    const std::lock_guard lock(net->mutex);
    const std::vector<std::chrono::milliseconds> expected{999ms,   1998ms,  3996ms,  7992ms, 15984ms,
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

TEST_CASE("a fault is logged once per change, on one line, and kept in the status") {
  const auto net = std::make_shared<Network>();
  net->connects = {refused, refused, refused, wrong_ca, wrong_ca, refused, std::nullopt};
  const CapturedLog log;
  Publisher publisher(settings(), "1", seams(net));
  publisher.accept(record(1));
  REQUIRE(net->wait([&] { return net->published.size() == 2; }));
  publisher.finish(10s);
  CHECK(log.count("nothing listens") == 2);
  CHECK(log.count("wrong\\x0aCA") == 1);
  CHECK(log.count("connected to") == 1);
  CHECK(publisher.status().last_error == "nothing listens");
  CHECK_FALSE(publisher.status().credentials_fault);
  CHECK(publisher.status().ever_connected);
}

TEST_CASE("a credentials fault is marked as one, for exit code 77") {
  const auto net = std::make_shared<Network>();
  net->connects = {wrong_ca};
  Publisher publisher(settings(), "1", seams(net));
  publisher.accept(record(1));
  REQUIRE(net->wait([&] { return net->attempts >= 3; }));
  publisher.finish(0s);
  CHECK(publisher.status().credentials_fault);
  CHECK_FALSE(publisher.status().ever_connected);
  CHECK(publisher.status().pending == 1);
}

TEST_CASE("without a broker the queue is bounded: the oldest go and are counted") {
  const auto net = std::make_shared<Network>();
  net->black_hole = true;
  Publisher publisher(settings(), "1", seams(net));
  Record large = record(0);
  large.predictions.assign(100, {0, std::string(250, 'x'), 0.1});
  const std::size_t size = to_json(large).size();
  const std::size_t count = Publisher::max_queue_bytes / size + 50;
  for (std::size_t i = 0; i < count; ++i) publisher.accept(large);
  const PublisherStatus status = publisher.status();
  CHECK(status.dropped >= 49);
  CHECK(status.dropped + status.pending == count);
  CHECK(status.pending * size <= Publisher::max_queue_bytes);
}

TEST_CASE("a stop ends a connection attempt at once") {
  const auto net = std::make_shared<Network>();
  net->black_hole = true;
  Publisher publisher(settings(), "1", seams(net));
  publisher.accept(record(1));
  REQUIRE(net->wait([&] { return net->attempts == 1; }));
  const auto began = Steady::now();
  publisher.finish(100ms);
  CHECK(Steady::now() - began < 1s);
}

TEST_CASE("finishing without a link makes at most two more attempts and does not wait for its patience") {
  const auto net = std::make_shared<Network>();
  net->connects = {refused};
  PublisherSeams slow = seams(net);
  slow.pause = [](std::chrono::milliseconds) { return std::chrono::milliseconds(1h); };
  Publisher publisher(settings(), "1", std::move(slow));
  publisher.accept(record(1));
  REQUIRE(net->wait([&] { return net->attempts == 1; }));
  const auto began = Steady::now();
  publisher.finish(1min);
  CHECK(Steady::now() - began < 10s);
  CHECK(net->attempts <= 3);
  CHECK(net->attempts >= 2);
}

TEST_CASE("a broker that acknowledges nothing for 30 s gets a new session") {
  const auto net = std::make_shared<Network>();
  net->acknowledge = false;
  Publisher publisher(settings(), "1", seams(net));
  publisher.accept(record(1));
  REQUIRE(net->wait([&] { return net->published.size() == 2; }));
  {
    const std::lock_guard lock(net->mutex);
    net->now += 31s;
    net->acknowledge = true;
  }
  publisher.accept(record(2));  // wakes the thread, which sees the time
  REQUIRE(net->wait([&] { return net->attempts == 2; }));
  publisher.finish(10s);
  CHECK(publisher.status().sent == 2);
}

TEST_CASE("at most 100 publishes a second") {
  const auto net = std::make_shared<Network>();
  PublisherSeams real_time = seams(net);
  real_time.now = Steady::now;
  Publisher publisher(settings(), "1", std::move(real_time));
  const auto began = Steady::now();
  for (int i = 1; i <= 30; ++i) publisher.accept(record(i));
  publisher.finish(10s);
  CHECK(publisher.status().sent == 30);
  CHECK(Steady::now() - began >= 300ms);
}
