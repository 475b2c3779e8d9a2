#include "telemetry/publisher.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "captured_log.hpp"
#include "catch.hpp"
#include "publisher_support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

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
