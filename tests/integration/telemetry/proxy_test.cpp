// Through an HTTP proxy, and what else only the other end of a connection can see.
#include "connect_proxy.hpp"
#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

/// Settings that reach the broker through the proxy alone: nothing listens on port 1, or 443.
BrokerSettings through(const ConnectProxy& proxy, const Broker& broker, const std::string& login = "",
                       int port = 1) {
  BrokerSettings settings = broker.settings();
  settings.uri = "mqtts://localhost:" + std::to_string(port);
  settings.proxy = proxy.uri(login);
  return settings;
}

bool offers_alpn(const std::string& client_hello) {
  return client_hello.find("\x0ex-amzn-mqtt-ca") != std::string::npos;  // RFC 7301, 3.1
}

}  // namespace

TEST_CASE("records go through an HTTP proxy that wants a login") {
  Broker broker;
  broker.start();
  const Subscriber subscriber(broker);
  const ConnectProxy proxy(broker.port());
  Device device(through(proxy, broker, "us%40er:open%20sesame%25@"));
  device.accept(1, 20);
  device.publisher.finish(15s);
  INFO(device.status().last_error);
  CHECK(device.status().acknowledged == 20);
  CHECK(eventually([&] { return subscriber.seqs().size() == 20; }));
  CHECK(eventually([&] { return subscriber.last_status() == "offline"; }));
  const auto seen = proxy.seen();
  REQUIRE(seen.size() == 2);  // our own look, and paho's session
  for (const auto& [request, hello] : seen) {
    // us@er:open sesame%, by base64(1)
    CHECK(request ==
          "CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n"
          "Proxy-Authorization: Basic dXNAZXI6b3BlbiBzZXNhbWUl\r\n\r\n");
    CHECK_FALSE(offers_alpn(hello));
  }
}

TEST_CASE("on port 443 both handshakes offer AWS's protocol name") {
  Broker broker;
  broker.start();
  const ConnectProxy proxy(broker.port());
  CHECK_FALSE(try_once(through(proxy, broker, "", 443)));
  const auto seen = proxy.seen();
  REQUIRE(seen.size() == 2);
  for (const auto& connection : seen) CHECK(offers_alpn(connection.first_bytes));
}

TEST_CASE("a proxy's answer may come in pieces") {
  Broker broker;
  broker.start();
  const ConnectProxy proxy(broker.port(),
                           {"HTTP/1.1 200 Connection", " established\r\nVia: a", "\r\n\r", "\n"});
  const auto fault = try_once(through(proxy, broker));
  INFO((fault ? fault->reason : ""));
  CHECK_FALSE(fault);
}

TEST_CASE("plain MQTT goes through a proxy on this machine") {
  const TempFolder folder;
  const int port = free_port();
  const Process plain({"mosquitto", "-p", std::to_string(port)}, folder.file("log"));
  REQUIRE(eventually([&] { return read_text(folder.file("log")).find(" running") != std::string::npos; }));
  const ConnectProxy proxy(port);
  BrokerSettings settings;
  settings.uri = "mqtt://localhost:1";
  settings.device = "test-device";
  settings.proxy = proxy.uri();
  validate_broker(settings);
  CHECK_FALSE(try_once(settings));
}

TEST_CASE("a proxy that says no is named with its reason, a login never") {
  Broker broker;
  broker.start();  // its certificates
  const ConnectProxy proxy(1, {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"});
  const auto without = try_once(through(proxy, broker));
  REQUIRE(without);
  CHECK(without->problem == LinkProblem::proxy_login);
  CHECK_THAT(without->reason, ContainsSubstring("wants a login"));
  const auto wrong = try_once(through(proxy, broker, "user:secret@"));
  REQUIRE(wrong);
  CHECK_THAT(wrong->reason, ContainsSubstring("does not take this user and password"));
  CHECK(wrong->reason.find("secret") == std::string::npos);
}

TEST_CASE("a proxy that keeps silent has a limit") {
  Broker broker;
  broker.start();  // its certificates
  const ConnectProxy proxy(1, {});
  LinkLimits limits;
  limits.proxy = 50ms;
  const auto fault = try_once(through(proxy, broker), limits);
  REQUIRE(fault);
  CHECK(fault->problem == LinkProblem::timed_out);
  CHECK_THAT(fault->reason, ContainsSubstring("the proxy at 127.0.0.1:"));
}

TEST_CASE("stop within 1 s while a proxy keeps silent") {
  Broker broker;
  broker.start();  // its certificates
  const ConnectProxy proxy(1, {});
  Device device(through(proxy, broker));
  device.accept(1, 1);
  REQUIRE(eventually([&] { return proxy.seen().size() == 1; }));
  const auto began = Steady::now();
  device.publisher.finish(0s);
  CHECK(Steady::now() - began < 1s);
}

TEST_CASE("a proxy in the environment changes nothing") {
  Broker broker;
  broker.start();
  const Subscriber subscriber(broker);
  const BrokerSettings it = broker.settings();
  const TempFolder state;
  const Process device(
      {"env", "http_proxy=http://127.0.0.1:1", "https_proxy=http://127.0.0.1:1", GLIMPSE_PROBE, "--broker",
       it.uri, "--ca", it.credentials.ca_file, "--cert", it.credentials.cert_file, "--key",
       it.credentials.key_file, "--device", it.device, "--state", state.file(""), "--records", "1", "--hold"},
      broker.file("probe.log"));
  CHECK(eventually([&] { return subscriber.seqs().size() == 1; }));
}
