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
  Publisher publisher(broker.settings(), "1.2.3");
  for (int i = 1; i <= 20; ++i) publisher.accept(make_record(i));
  REQUIRE(eventually([&] { return subscriber.seqs().size() == 20; }));
  CHECK(subscriber.seqs() == one_to(20));
  CHECK(subscriber.last_status() == "online");
  CHECK(publisher.status().up);

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

  publisher.finish(5s);
  CHECK(publisher.status().sent == 20);
  CHECK(publisher.status().pending == 0);
  CHECK(eventually([&] { return subscriber.last_status() == "offline"; }));
  CHECK(subscriber.messages().back().payload ==
        R"({"status":"offline","version":"1.2.3","device":"test-device"})");
  CHECK(Subscriber(broker).messages().size() <= 1);  // the retained status at most: no record is retained
}

TEST_CASE("the server is known by name and by address") {
  Broker broker;
  broker.start();
  for (const auto* host : {"localhost", "127.0.0.1"}) {
    BrokerSettings settings = broker.settings();
    settings.uri = std::string("mqtts://") + host + ":" + std::to_string(broker.port());
    Publisher publisher(settings, "1");
    publisher.accept(make_record(1));
    publisher.finish(10s);
    INFO(publisher.status().last_error);
    CHECK(publisher.status().sent == 1);
  }
}

TEST_CASE("a broker that comes later gets all that waited, in order") {
  Broker broker;
  broker.start();  // makes the certificates
  broker.kill_hard();
  Gate gate;
  Publisher publisher(broker.settings(), "1", gate.seams(broker.settings()));
  for (int i = 1; i <= 100; ++i) publisher.accept(make_record(i));
  REQUIRE(eventually([&] { return !publisher.status().last_error.empty(); }));
  CHECK_THAT(publisher.status().last_error, ContainsSubstring("nothing listens at localhost:"));
  CHECK_FALSE(publisher.status().credentials_fault);
  CHECK(publisher.status().pending == 100);
  broker.start();
  const Subscriber subscriber(broker);
  gate.release();
  REQUIRE(eventually([&] { return publisher.status().sent == 100; }));
  REQUIRE(eventually([&] { return subscriber.seqs().size() >= 100; }));
  CHECK(subscriber.seqs() == one_to(100));
}

TEST_CASE(
    "a broker killed in the middle: nothing is lost, order is kept, only the unacknowledged come twice") {
  Broker broker;
  broker.start();
  auto before = std::make_unique<Subscriber>(broker);
  Gate gate;
  Publisher publisher(broker.settings(), "1", gate.seams(broker.settings()));
  for (int i = 1; i <= 200; ++i) publisher.accept(make_record(i));
  REQUIRE(eventually([&] { return publisher.status().sent >= 50; }));
  broker.kill_hard();
  REQUIRE(eventually([&] { return !publisher.status().up; }));
  REQUIRE(publisher.status().sent < 200);
  broker.start();
  const Subscriber after(broker);
  gate.release();
  REQUIRE(eventually([&] { return publisher.status().sent == 200; }));
  REQUIRE(eventually([&] { return !after.seqs().empty() && after.seqs().back() == 200; }));

  const auto first = before->seqs(), second = after.seqs();
  CHECK(std::is_sorted(first.begin(), first.end()));
  CHECK(std::is_sorted(second.begin(), second.end()));
  std::set<std::uint64_t> all(first.begin(), first.end());
  all.insert(second.begin(), second.end());
  CHECK(all.size() == 200);
  CHECK(first.size() + second.size() <= 200 + Publisher::max_in_flight);
}

TEST_CASE("an ACL that forbids our topic does not stop us") {
  Broker broker;  // lets "test-device" write below its own name only
  broker.start();
  const Subscriber subscriber(broker);
  BrokerSettings settings = broker.settings();
  settings.device = "somebody-else";
  Publisher forbidden(settings, "1");
  forbidden.accept(make_record(1));
  forbidden.finish(10s);
  // MQTT 3.1.1 has no way to say no: the broker acknowledges and throws away.
  CHECK(forbidden.status().sent == 1);
  Publisher allowed(broker.settings(), "1");
  allowed.accept(make_record(2));
  REQUIRE(eventually([&] { return !subscriber.seqs().empty(); }));
  CHECK(subscriber.seqs() == std::vector<std::uint64_t>{2});
}

TEST_CASE("the last will says offline when the process dies") {
  Broker broker;
  broker.start();
  const Subscriber subscriber(broker);
  const BrokerSettings it = broker.settings();
  Process device({GLIMPSE_PROBE, it.uri, it.credentials.ca_file, it.credentials.cert_file,
                  it.credentials.key_file, it.device},
                 broker.file("probe.log"));
  REQUIRE(eventually([&] { return subscriber.last_status() == "online" && subscriber.seqs().size() == 1; }));
  device.kill();
  CHECK(eventually([&] { return subscriber.last_status() == "offline"; }));
}
