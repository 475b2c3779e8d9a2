// One attempt: its limits, the clock it waits for, and that it leaves nothing behind.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <atomic>
#include <future>

#include "connect_proxy.hpp"
#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

namespace fs = std::filesystem;

std::ptrdiff_t entries(const char* folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

BrokerSettings silent(const ConnectProxy& server, const std::string& scheme) {
  BrokerSettings settings;
  settings.uri = scheme + server.uri().substr(std::string("http").size());
  settings.device = "test-device";
  return settings;
}

const LinkEvents nobody{[](std::uint64_t) {}, [](const LinkFault&) {}};

}  // namespace

TEST_CASE("silence in TLS and in MQTT: a limit and words for each") {
  const ConnectProxy server(1, {});  // takes connections, never says a word
  LinkLimits limits;
  limits.tls = limits.mqtt = 200ms;
  const auto in_tls = try_once(silent(server, "mqtts"), limits);
  REQUIRE(in_tls);
  CHECK(in_tls->problem == LinkProblem::timed_out);
  CHECK_THAT(in_tls->reason, ContainsSubstring("does not answer in TLS"));
  const auto in_mqtt = try_once(silent(server, "mqtt"), limits);
  REQUIRE(in_mqtt);
  CHECK(in_mqtt->problem == LinkProblem::timed_out);
  CHECK_THAT(in_mqtt->reason, ContainsSubstring("does not answer in MQTT"));
}

TEST_CASE("a clock that is not set is named at once, then waited for, then all goes well") {
  Broker broker;
  broker.start();
  std::atomic<bool> set = false;
  LinkSeams seams;
  seams.now = [&] {
    return set ? std::chrono::system_clock::now() : std::chrono::system_clock::from_time_t(0);
  };
  seams.clock_step = 1ms;
  const auto link = make_mqtt_link(broker.settings(), nullptr, seams);
  const auto said = link->connect({}, 30s, nobody);
  REQUIRE(said);
  CHECK(said->problem == LinkProblem::clock_not_set);
  CHECK_THAT(said->reason, ContainsSubstring("this clock says 1970-01-01"));

  auto waiting = std::async(std::launch::async, [&] { return link->connect({}, 0s, nobody); });
  CHECK(waiting.wait_for(100ms) == std::future_status::timeout);  // beyond its limit
  set = true;
  const auto after = waiting.get();  // the limit counts from here
  REQUIRE(after);
  CHECK(after->problem != LinkProblem::clock_not_set);
  CHECK_FALSE(link->connect({}, 30s, nobody));

  set = false;  // said again, not waited for in silence
  const auto again = link->connect({}, 30s, nobody);
  REQUIRE(again);
  CHECK(again->problem == LinkProblem::clock_not_set);
}

TEST_CASE("a stop ends the wait for the clock, and plain MQTT needs none") {
  LinkSeams seams;
  seams.now = [] { return std::chrono::system_clock::from_time_t(0); };
  BrokerSettings settings;
  settings.uri = "mqtts://localhost:1";
  settings.device = "test-device";
  const auto link = make_mqtt_link(settings, nullptr, seams);
  (void)link->connect({}, 30s, nobody);
  std::stop_source stop;
  auto waiting = std::async(std::launch::async, [&] { return link->connect(stop.get_token(), 30s, nobody); });
  CHECK(waiting.wait_for(50ms) == std::future_status::timeout);
  const auto began = Steady::now();
  stop.request_stop();
  CHECK(waiting.get()->problem == LinkProblem::clock_not_set);
  CHECK(Steady::now() - began < 1s);

  settings.uri = "mqtt://localhost:1";
  CHECK(make_mqtt_link(settings, nullptr, seams)->connect({}, 30s, nobody)->problem ==
        LinkProblem::unreachable);
}

TEST_CASE("200 attempts that fail leave no thread and no open file behind") {
  const TempFolder made;
  make_certificates(made);
  const TlsServer wants_login(made, "server", login_wanted(made));
  const BrokerSettings refused_in_mqtt = wants_login.settings();
  BrokerSettings refused_in_tls = wants_login.settings();
  refused_in_tls.credentials.ca_file = made.file("other-ca.crt");
  BrokerSettings nobody_there = wants_login.settings();
  nobody_there.uri = "mqtts://localhost:1";
  std::vector<std::unique_ptr<Link>> links;  // one for each, as a publisher has: all of them for all attempts
  for (const auto& settings : {refused_in_mqtt, refused_in_tls, nobody_there})
    links.push_back(make_mqtt_link(settings, nullptr));
  // Mostly the quick ones: a session of paho's takes half a second.
  const auto once = [&](std::size_t i) {
    CHECK(links[i % 10 == 0 ? 0 : 1 + i % 2]->connect({}, 30s, nobody));
  };
  for (std::size_t i = 0; i < 10; ++i) once(i);
  const auto settled = [](const char* folder) {
    // Threads that have said goodbye may still be on their way out.
    std::ptrdiff_t last = entries(folder);
    (void)eventually([&] { return std::exchange(last, entries(folder)) == last; });
    return last;
  };
  const auto files = settled("/proc/self/fd"), threads = settled("/proc/self/task");
  for (std::size_t i = 0; i < 200; ++i) once(i);
  CHECK(eventually([&] { return entries("/proc/self/fd") <= files; }));
  CHECK(eventually([&] { return entries("/proc/self/task") <= threads; }));
}

TEST_CASE("the last will is that of the moment of connecting, and comes when the device vanishes") {
  Broker broker;
  broker.start();
  const Subscriber subscriber(broker);
  int asked = 0;
  const auto link = make_mqtt_link(
      broker.settings(), [&asked] { return R"({"status":"gone )" + std::to_string(++asked) + R"("})"; });
  REQUIRE_FALSE(link->connect({}, 30s, nobody));
  REQUIRE_FALSE(link->connect({}, 30s, nobody));
  CHECK(asked == 2);
  // Another client with our id: the broker ends our session without our DISCONNECT.
  const auto other = make_mqtt_link(broker.settings(), nullptr);
  REQUIRE_FALSE(other->connect({}, 30s, nobody));
  CHECK(eventually([&] { return subscriber.last_status() == "gone 2"; }));
}
