// Each way in which TLS can fail, told apart and in words.
#include <set>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

/// openssl s_server with TLS 1.1 and nothing newer.
class OldTlsServer {
 public:
  explicit OldTlsServer(const TempFolder& made)
      : made_(made),
        process_({"openssl", "s_server", "-accept", std::to_string(port_), "-cert", made.file("server.crt"),
                  "-key", made.file("server.key"), "-www", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"},
                 folder_.file("log")) {
    REQUIRE(eventually([&] { return read_text(folder_.file("log")).find("ACCEPT") != std::string::npos; }));
  }
  [[nodiscard]] BrokerSettings settings() const {
    BrokerSettings settings;
    settings.uri = "mqtts://localhost:" + std::to_string(port_);
    settings.device = "test-device";
    settings.credentials.ca_file = made_.file("ca.crt");
    return settings;
  }

 private:
  const TempFolder& made_;
  TempFolder folder_;
  int port_ = free_port();
  Process process_;
};

const std::string anyone = "allow_anonymous true\n";  // with a certificate

/// What the status says once the first attempt has failed. Pictures go on meanwhile: nothing throws.
PublisherStatus refused(const BrokerSettings& settings) {
  Device device(settings);
  device.accept(1, 1);
  CHECK(eventually([&] { return !device.status().last_error.empty(); }));
  device.publisher.finish(0s);
  const PublisherStatus status = device.status();
  CHECK_FALSE(status.ever_connected);
  CHECK(status.pending == 1);
  CHECK(status.last_error.find('\n') == std::string::npos);
  return status;
}

void check_credentials_fault(const PublisherStatus& status, const std::vector<std::string>& parts) {
  CHECK(status.credentials_fault);
  for (const auto& part : parts) CHECK_THAT(status.last_error, ContainsSubstring(part));
}

}  // namespace

TEST_CASE("TLS refusals") {
  const TempFolder made;
  make_certificates(made);

  SECTION("all in order") {
    const TlsServer server(made, "server");
    Device device(server.settings());
    device.accept(1, 1);
    device.publisher.finish(10s);
    INFO(device.status().last_error);
    CHECK(device.status().acknowledged == 1);
  }
  SECTION("wrong CA") {
    const TlsServer server(made, "server");
    BrokerSettings settings = server.settings();
    settings.credentials.ca_file = made.file("other-ca.crt");
    check_credentials_fault(refused(settings), {"not signed by", made.file("other-ca.crt"), "--ca"});
  }
  SECTION("no CA file: the system's authorities, which do not know ours") {
    const TlsServer server(made, "server");
    BrokerSettings settings = server.settings();
    settings.credentials.ca_file.clear();
    check_credentials_fault(refused(settings), {"not signed by one of this system's authorities"});
  }
  SECTION("certificate for another host") {
    const TlsServer server(made, "server-other-host");
    check_credentials_fault(refused(server.settings()),
                            {"another host", "'elsewhere.example'", "'192.0.2.7'", "'localhost'"});
    BrokerSettings by_address = server.settings();
    by_address.uri.replace(by_address.uri.find("localhost"), 9, "127.0.0.1");
    check_credentials_fault(refused(by_address), {"another host", "not '127.0.0.1'"});
  }
  SECTION("a server that vouches for itself") {
    const TlsServer server(made, "server-self-signed");
    check_credentials_fault(refused(server.settings()), {"is self-signed", "--ca"});
    BrokerSettings trusting = server.settings();
    trusting.credentials.ca_file = made.file("server-self-signed.crt");
    CHECK_FALSE(try_once(trusting));
  }
  SECTION("expired server certificate") {
    const TlsServer server(made, "server-expired");
    check_credentials_fault(refused(server.settings()), {"expired at", "this clock says"});
  }
  SECTION("server certificate not yet valid") {
    const TlsServer server(made, "server-future");
    check_credentials_fault(refused(server.settings()),
                            {"not valid before", "this clock says", "set this clock"});
  }
  for (const std::string newest : {"TLSv1.3", "TLSv1.2"}) {
    // With TLS 1.3 the refusal comes after the handshake, with 1.2 within it.
    SECTION("no client certificate, " + newest) {
      const TlsServer server(made, "server", anyone, newest);
      check_credentials_fault(refused(server.settings("")),
                              {"demands a client certificate", "--cert and --key"});
    }
    SECTION("client certificate of an unknown CA, " + newest) {
      const TlsServer server(made, "server", anyone, newest);
      check_credentials_fault(refused(server.settings("device-unknown")),
                              {"refuses our certificate", made.file("device-unknown.crt"), "authority"});
    }
    SECTION("expired client certificate, " + newest) {
      const TlsServer server(made, "server", anyone, newest);
      check_credentials_fault(refused(server.settings("device-expired")),
                              {"refuses our certificate", "expired"});
    }
  }
  SECTION("login refused") {
    // This server wants a user name besides the certificate.
    const TlsServer server(made, "server", login_wanted(made));
    check_credentials_fault(refused(server.settings()), {"does not let 'test-device' in"});
  }
  SECTION("something that speaks no TLS") {
    const TlsServer server(made, "server");
    const int port = free_port();
    const Process plain({"mosquitto", "-p", std::to_string(port)}, made.file("plain.log"));
    REQUIRE(
        eventually([&] { return read_text(made.file("plain.log")).find(" running") != std::string::npos; }));
    BrokerSettings settings = server.settings();
    settings.uri = "mqtts://localhost:" + std::to_string(port);
    const PublisherStatus status = refused(settings);
    CHECK_THAT(status.last_error, ContainsSubstring("mqtts port"));
    CHECK_FALSE(status.credentials_fault);
  }
  SECTION("TLS 1.1 alone") {
    const OldTlsServer old(made);
    CHECK_THAT(refused(old.settings()).last_error, ContainsSubstring("no TLS from version 1.2 on"));
  }
  SECTION("a name that does not exist") {
    BrokerSettings settings;
    settings.uri = "mqtts://no-such-host.invalid";  // RFC 2606
    settings.device = "test-device";
    CHECK_THAT(refused(settings).last_error, ContainsSubstring("no-such-host.invalid"));
  }
}

TEST_CASE("seven refusals of TLS, seven reasons") {
  const TempFolder made;
  make_certificates(made);
  std::set<LinkProblem> problems;
  std::set<std::string> reasons;
  const auto note = [&](const BrokerSettings& settings) {
    const auto fault = try_once(settings);
    REQUIRE(fault);
    problems.insert(fault->problem);
    std::string words = fault->reason;  // without what differs by itself
    const std::string server = parse_broker_uri(settings.uri).text();
    for (auto at = words.find(server); at != std::string::npos; at = words.find(server))
      words.erase(at, server.size());
    reasons.insert(words);
  };
  for (const auto* certificate :
       {"server-other-host", "server-expired", "server-future", "server-self-signed"}) {
    const TlsServer server(made, certificate);
    note(server.settings());
  }
  const TlsServer server(made, "server");
  note(server.settings(""));  // no client certificate
  BrokerSettings other_ca = server.settings();
  other_ca.credentials.ca_file = made.file("other-ca.crt");
  note(other_ca);
  const OldTlsServer old(made);
  note(old.settings());
  CHECK(problems.size() == 7);
  CHECK(reasons.size() == 7);
}
