#include "telemetry/link/broker_settings.hpp"

#include <algorithm>

#include "catch.hpp"
#include "core/error.hpp"

using namespace glimpse;

namespace {

std::string refusal(const BrokerSettings& settings, ExitCode code = ExitCode::usage) {
  try {
    validate_broker(settings);
    return "";
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.what();
  }
}

BrokerSettings to(const std::string& uri) {
  BrokerSettings settings;
  settings.uri = uri;
  settings.device = "thing";
  return settings;
}

}  // namespace

TEST_CASE("broker URIs") {
  struct {
    const char *uri, *host;
    int port;
    bool tls, loopback;
  } const good[] = {
      {"mqtts://a.example", "a.example", 8883, true, false},
      {"mqtts://a.example:443", "a.example", 443, true, false},
      {"mqtts://192.0.2.1", "192.0.2.1", 8883, true, false},
      {"mqtt://localhost", "localhost", 1883, false, true},
      {"mqtt://127.0.0.9:1", "127.0.0.9", 1, false, true},
      {"mqtts://[::1]", "::1", 8883, true, true},
      {"mqtts://[2001:db8::1]:99", "2001:db8::1", 99, true, false},
  };
  for (const auto& [uri, host, port, tls, loopback] : good) {
    INFO(uri);
    const Endpoint endpoint = parse_broker_uri(uri);
    CHECK(endpoint.host == host);
    CHECK(endpoint.port == port);
    CHECK(endpoint.tls == tls);
    CHECK(endpoint.is_loopback() == loopback);
  }
  CHECK(parse_broker_uri("mqtts://[::1]:5").text() == "[::1]:5");
  for (const auto& uri :
       {"", "localhost", "http://a", "mqtts://", "mqtts://a:", "mqtts://a:0", "mqtts://a:65536",
        "mqtts://a:12x", "mqtts://a/path", "mqtts://user@a", "mqtts://[::1", "mqtts://[a]",
        "mqtts://[::1]8883", "mqtts://a b", "mqtts://-a", "mqtts://a\n:1", "mqtts://::1"}) {
    INFO(uri);
    CHECK_THAT(refusal(to(uri)), ContainsSubstring("mqtts://host"));
  }
  const char with_nul[] =
      "mqtts://[::1\0\r\nX: y]:443";  // would be a line of its own in a request to a proxy
  CHECK_THAT(refusal(to(std::string(with_nul, sizeof(with_nul) - 1))), ContainsSubstring("no IPv6"));
}

TEST_CASE("plain MQTT stays on this machine unless somebody insists") {
  CHECK(refusal(to("mqtt://localhost")).empty());
  BrokerSettings settings = to("mqtt://a.example");
  CHECK_THAT(refusal(settings), ContainsSubstring("--insecure"));
  // Starts with "127." and is a name all the same.
  CHECK_THAT(refusal(to("mqtt://127.0.0.1.example")), ContainsSubstring("--insecure"));
  settings.insecure = true;
  CHECK(refusal(settings).empty());
}

TEST_CASE("a device name that is no topic level is refused with the characters it may have") {
  BrokerSettings settings = to("mqtt://localhost");
  for (const auto& name : {"a#", "a+", "a/b", ""}) {
    settings.device = name;
    CHECK_THAT(refusal(settings), ContainsSubstring("a-z A-Z 0-9 : _ -"));
  }
}

TEST_CASE("credentials are looked at only where TLS is") {
  BrokerSettings settings = to("mqtt://localhost");
  settings.credentials.ca_file = "/nonexistent";
  CHECK(refusal(settings).empty());
  settings.uri = "mqtts://localhost";
  CHECK_THAT(refusal(settings, ExitCode::credentials), ContainsSubstring("/nonexistent"));
}

TEST_CASE("keep-alive has a range") {
  BrokerSettings settings = to("mqtt://localhost");
  for (const int good : {56, 1200}) {
    settings.keep_alive = std::chrono::seconds(good);
    CHECK(refusal(settings).empty());
  }
  for (const int bad : {-1, 0, 55, 1201}) {
    settings.keep_alive = std::chrono::seconds(bad);
    CHECK_THAT(refusal(settings), ContainsSubstring("56 to 1200"));
  }
}

TEST_CASE(
    "paho's interval: AWS takes it, and an idle connection that died is noticed within 1.5 keep-alives") {
  for (int keep_alive = 56; keep_alive <= 1200; ++keep_alive) {
    INFO(keep_alive);
    const auto p = static_cast<double>(ping_interval(std::chrono::seconds(keep_alive)).count());
    CHECK(p >= 30);
    CHECK(p <= 1200);
    // Measured on paho 1.3.12 with p = 60: PINGREQ at 60.6 s, given up at 154.2 s. It looks every p/10, at
    // most every 5 s, in a loop that sleeps for up to 1 s.
    const double step = std::min(p / 10, 5.0) + 1;
    CHECK((p + step) + (1.5 * p + step) <= 1.5 * keep_alive);
  }
  CHECK(ping_interval(std::chrono::seconds(60)).count() == 32);
}

TEST_CASE("ALPN: port 443 of mqtts:// alone") {
  // AWS IoT Core, "Protocols, port mappings, and authentication".
  CHECK(alpn_protocol(parse_broker_uri("mqtts://a.example:443")) == "x-amzn-mqtt-ca");
  CHECK(alpn_protocol(parse_broker_uri("mqtts://a.example")).empty());
  CHECK(alpn_protocol(parse_broker_uri("mqtts://a.example:8443")).empty());
  CHECK(alpn_protocol(parse_broker_uri("mqtt://localhost:443")).empty());
}

TEST_CASE("a proxy elsewhere is a network, too: no plain MQTT through it") {
  BrokerSettings settings = to("mqtt://localhost");
  settings.proxy = "http://proxy.example:3128";
  CHECK_THAT(refusal(settings), ContainsSubstring("--insecure"));
  settings.insecure = true;
  CHECK(refusal(settings).empty());
  settings.proxy = "proxy.example";
  CHECK_THAT(refusal(settings), ContainsSubstring("http://host:port"));
}

TEST_CASE("topics") {
  BrokerSettings settings;
  settings.device = "thing";
  CHECK(telemetry_topic(settings) == "glimpse/v1/thing/telemetry");
  CHECK(status_topic("thing") == "glimpse/v1/thing/status");
  settings.basic_ingest =
      "glimpse";  // AWS IoT Core Developer Guide, "Reducing messaging costs with Basic Ingest"
  CHECK(telemetry_topic(settings) == "$aws/rules/glimpse/glimpse/v1/thing/telemetry");
}

TEST_CASE("a topic rule's name becomes a topic level: other characters are refused") {
  for (const std::string& name : {std::string("my-rule"), std::string("a/b"), std::string("+"),
                                  std::string("ä"), std::string(129, 'a')}) {
    BrokerSettings settings = to("mqtt://localhost");
    settings.basic_ingest = name;
    CHECK_THAT(refusal(settings), ContainsSubstring("--basic-ingest") && ContainsSubstring("1 to 128"));
  }
  BrokerSettings settings = to("mqtt://localhost");
  settings.basic_ingest = "My_rule_1";
  CHECK(refusal(settings).empty());
}
