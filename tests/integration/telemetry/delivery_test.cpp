// What arrives at a subscriber when all is well, and when the broker comes late, dies, or forbids.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

std::vector<std::uint64_t> one_to(std::uint64_t last) {
  std::vector<std::uint64_t> list(last);
  for (std::uint64_t i = 0; i < last; ++i) list[i] = i + 1;
  return list;
}

}  // namespace

TEST_CASE("records reach a subscriber with the lab's fields and ours, and the status tells when we leave") {
  Broker broker;
  broker.start();
  const Subscriber subscriber(broker);
  validate_broker(broker.settings());
  Device device(broker.settings());
  device.accept(1, 20);
  REQUIRE(eventually([&] { return subscriber.seqs().size() == 20; }));
  CHECK(subscriber.seqs() == one_to(20));
  CHECK(subscriber.last_status() == "online");
  CHECK(device.status().link == LinkState::connected);

  const auto messages = subscriber.messages();
  const auto first = std::find_if(messages.begin(), messages.end(), [](const auto& m) {
    return m.topic == "glimpse/v1/test-device/telemetry";
  });
  REQUIRE(first != messages.end());
  CHECK(first->payload == to_json(make_record(1)));
  const auto json = nlohmann::json::parse(first->payload);
  CHECK(json["time"] == 1732262400);
  CHECK(json["quality"] == "GOOD");
  CHECK(json["hostname"] == "host");
  CHECK(json["value"] == 12.5);

  device.publisher.finish(5s);
  CHECK(device.status().acknowledged == 20);
  CHECK(device.status().pending == 0);
  CHECK(eventually([&] { return subscriber.last_status() == "offline"; }));
  CHECK(subscriber.messages().back().payload ==
        R"({"status":"offline","version":"1.2.3","device":"test-device","boot":"boot",)"
        R"("model":{"name":"demo","quantized":true,"backend":"onednn","sha256":"abc"}})");
  CHECK(Subscriber(broker).messages().size() <= 1);  // the retained status at most: no record is retained
}

TEST_CASE("the server is known by name and by address") {
  Broker broker;
  broker.start();
  for (const auto* host : {"localhost", "127.0.0.1"}) {
    BrokerSettings settings = broker.settings();
    settings.uri = std::string("mqtts://") + host + ":" + std::to_string(broker.port());
    Device device(settings);
    device.accept(1, 1);
    device.publisher.finish(10s);
    INFO(device.status().last_error);
    CHECK(device.status().acknowledged == 1);
  }
}

TEST_CASE("a broker that comes later gets all that waited, in order") {
  Broker broker;
  broker.start();  // makes the certificates
  broker.kill_hard();
  Gate gate;
  Device device(broker.settings(), gate.seams(broker.settings()));
  device.accept(1, 100);
  REQUIRE(eventually([&] { return !device.status().last_error.empty(); }));
  CHECK_THAT(device.status().last_error, ContainsSubstring("nothing listens at localhost:"));
  CHECK_FALSE(device.status().credentials_fault);
  CHECK(device.status().pending == 100);
  broker.start();
  const Subscriber subscriber(broker);
  gate.release();
  REQUIRE(eventually([&] { return device.status().acknowledged == 100; }));
  REQUIRE(eventually([&] { return subscriber.seqs().size() >= 100; }));
  CHECK(subscriber.seqs() == one_to(100));
}

TEST_CASE(
    "a broker killed in the middle: nothing is lost, order is kept, only the unacknowledged come twice") {
  Broker broker;
  broker.start();
  auto before = std::make_unique<Subscriber>(broker);
  Gate gate;
  Device device(broker.settings(), gate.seams(broker.settings()));
  device.accept(1, 200);
  REQUIRE(eventually([&] { return device.status().acknowledged >= 50; }));
  broker.kill_hard();
  REQUIRE(eventually([&] { return device.status().link != LinkState::connected; }));
  REQUIRE(device.status().acknowledged < 200);
  broker.start();
  const Subscriber after(broker);
  gate.release();
  REQUIRE(eventually([&] { return device.status().acknowledged == 200; }));
  REQUIRE(eventually([&] { return !after.seqs().empty() && after.seqs().back() == 200; }));

  const auto first = before->seqs(), second = after.seqs();
  CHECK(std::is_sorted(first.begin(), first.end()));
  CHECK(std::is_sorted(second.begin(), second.end()));
  std::set<std::uint64_t> all(first.begin(), first.end());
  all.insert(second.begin(), second.end());
  CHECK(all.size() == 200);
  CHECK(first.size() + second.size() <= 200 + SendingOrder::window);
}

TEST_CASE("an ACL that forbids our topic does not stop us") {
  Broker broker;  // lets "test-device" write below its own name only
  broker.start();
  const Subscriber subscriber(broker);
  BrokerSettings settings = broker.settings();
  settings.device = "somebody-else";
  Device forbidden(settings);
  forbidden.accept(1, 1);
  forbidden.publisher.finish(10s);
  // MQTT 3.1.1 has no way to say no: the broker acknowledges and throws away.
  CHECK(forbidden.status().acknowledged == 1);
  Device allowed(broker.settings());
  allowed.accept(2, 2);
  REQUIRE(eventually([&] { return !subscriber.seqs().empty(); }));
  CHECK(subscriber.seqs() == std::vector<std::uint64_t>{2});
}

TEST_CASE("the last will says offline when the process dies") {
  Broker broker;
  broker.start();
  const Subscriber subscriber(broker);
  const BrokerSettings it = broker.settings();
  const TempFolder state;
  Process device({GLIMPSE_PROBE, "--broker", it.uri, "--ca", it.credentials.ca_file, "--cert",
                  it.credentials.cert_file, "--key", it.credentials.key_file, "--device", it.device,
                  "--state", state.file(""), "--records", "1", "--hold"},
                 broker.file("probe.log"));
  REQUIRE(eventually([&] { return subscriber.last_status() == "online" && subscriber.seqs().size() == 1; }));
  device.kill();
  CHECK(eventually([&] { return subscriber.last_status() == "offline"; }));
}

TEST_CASE("two devices with one name throw each other out, and are told so; nothing is lost") {
  Broker broker;
  broker.start();
  const Subscriber subscriber(broker);
  Gate gate;
  gate.release();  // no pause between attempts
  Device one(broker.settings(), gate.seams(broker.settings()));
  Device other(broker.settings(), gate.seams(broker.settings()));
  one.accept(1, 5);
  other.accept(6, 10);
  const auto is_told = [](const Device& device) {
    return device.status().last_error.find("another client uses the id 'test-device', too") !=
           std::string::npos;
  };
  REQUIRE(eventually([&] { return is_told(one) || is_told(other); }, 60s));
  other.publisher.finish(0s);
  REQUIRE(eventually([&] { return one.status().pending == 0; }, 60s));
}
