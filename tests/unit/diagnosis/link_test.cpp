#include "diagnosis/link.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <thread>

#include "../device/certificates.hpp"
#include "catch.hpp"
#include "core/file_descriptor.hpp"
#include "shown.hpp"

using namespace glimpse;
using namespace std::chrono_literals;
using Clock = std::chrono::system_clock;

namespace {

BrokerSettings broker(const std::string& uri, const std::string& proxy = "") {
  BrokerSettings settings;
  settings.uri = uri;
  settings.device = "pi-1";
  settings.proxy = proxy;
  return settings;
}

/// Lets everybody in, acknowledges what is published, and lets nobody read. The packets: MQTT 3.1.1.
class DeafBroker {
 public:
  /// Hangs up after so many packets.
  explicit DeafBroker(int most = 100) : most_(most), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(bind(listener_.get(), where, size) == 0);
    REQUIRE(listen(listener_.get(), 1) == 0);
    REQUIRE(getsockname(listener_.get(), where, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~DeafBroker() { shutdown(listener_.get(), SHUT_RDWR); }
  DeafBroker(const DeafBroker&) = delete;
  DeafBroker& operator=(const DeafBroker&) = delete;
  [[nodiscard]] std::string uri() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() const {  // the first connection looks at the port, and says nothing
    for (int client = 0; (client = accept(listener_.get(), nullptr, nullptr)) >= 0;)
      talk(FileDescriptor(client));
  }
  void talk(const FileDescriptor& client) const {
    const auto answer = [&client](std::string_view bytes) {
      (void)!write(client.get(), bytes.data(), bytes.size());
    };
    unsigned char packet[1000];
    for (int i = 0; i <= most_ && read(client.get(), packet, 2) == 2 &&
                    read(client.get(), packet + 2, packet[1]) == packet[1];
         ++i) {
      if (i == most_) return;
      const auto id = [&packet](int at) { return std::string{char(packet[at]), char(packet[at + 1])}; };
      if (packet[0] == 0x10) answer({"\x20\x02\0\0", 4});
      if (packet[0] == 0x32) answer("\x40\x02" + id(4 + packet[3]));
      if (packet[0] == 0x82) answer("\x90\x03" + id(2) + "\x80");
    }
  }
  const int most_;
  FileDescriptor listener_;
  int port_ = 0;
  std::jthread thread_;
};

}  // namespace

TEST_CASE("What was published and cannot be read back; with Basic Ingest records go another way") {
  for (const std::string rule : {"", "rule"}) {
    const DeafBroker deaf;
    BrokerSettings settings = broker(deaf.uri());
    settings.basic_ingest = rule;
    const Checks checks = check_session(settings, [] { return std::nullopt; });
    REQUIRE(checks.size() == 2);
    CHECK(shown(checks[0]) == "ok login: the broker lets pi-1 in");
    CHECK(shown(checks[1]) ==
          "ok publish: glimpse/v1/pi-1/doctor was acknowledged; it may not be read back" +
              std::string(
                  rule.empty()
                      ? ""
                      : "; records go to $aws/rules/rule/glimpse/v1/pi-1/telemetry, which was not tried"));
  }
}

TEST_CASE("A session that a run has taken over meanwhile is not the policy's fault") {
  int asked = 0;
  const auto later = [&asked]() -> std::optional<Running> {
    if (++asked == 1) return std::nullopt;
    return Running{42, Running::How::this_outbox, {}};
  };
  {
    const DeafBroker deaf;  // of no matter while the session holds
    CHECK(check_session(broker(deaf.uri()), later).size() == 2);
  }
  asked = 0;
  const DeafBroker hangs_up(1);
  const Checks checks = check_session(broker(hangs_up.uri()), later);
  REQUIRE(checks.size() == 1);
  CHECK_THAT(shown(checks[0]),
             ContainsSubstring("ok login: not tried: glimpse run, pid 42 is logged in as pi-1"));
}

TEST_CASE("Key files: good, about to expire, expired, of the wrong mode, none") {
  const Certificates files;  // valid for 30 days from now
  const Credentials device = files.of("device");
  const Check good = check_key_files(device, Clock::now() - 24h);
  CHECK_THAT(shown(good),
             ContainsSubstring("ok key files: " + device.cert_file + " and its key, valid until "));
  CHECK_THAT(good.text, ContainsSubstring("(in 30 days); the authority " + device.ca_file));
  CHECK_THAT(shown(check_key_files(device, Clock::now())), ContainsSubstring("warn key files: "));
  const Check expired = check_key_files(files.of("device-expired"), Clock::now());
  CHECK_THAT(shown(expired), ContainsSubstring("expired at "));
  CHECK(state(expired) == "fail");
  CHECK(expired.code == ExitCode::credentials);
  set_mode(device.key_file, 0644);
  CHECK_THAT(shown(check_key_files(device, Clock::now())),
             ContainsSubstring("has mode 0644, and it is for its owner's eyes alone | chmod 600 " +
                               device.key_file));
  CHECK(shown(check_key_files({}, Clock::now())) ==
        "ok key files: this system's authorities; no certificate of our own");
}

TEST_CASE("Names are looked up, addresses are not, and the proxy's is the first that is needed") {
  CHECK_THAT(shown(check_name(broker("mqtts://localhost"))), ContainsSubstring("ok dns: localhost is "));
  CHECK(shown(check_name(broker("mqtts://192.0.2.1"))) ==
        "ok dns: 192.0.2.1 is an address: nothing to look up");
  const Check gone = check_name(broker("mqtts://broker.invalid"));  // RFC 2606: never there
  CHECK_THAT(shown(gone), ContainsSubstring("fail dns: broker.invalid cannot be looked up: "));
  CHECK(gone.code == ExitCode::unavailable);
  CHECK_THAT(shown(check_name(broker("mqtts://broker.invalid", "http://localhost:3128"))),
             ContainsSubstring("ok dns: localhost (the proxy) is "));
}

TEST_CASE("A nameserver that says nothing is given the time that it takes, and its line names the host") {
  for (const Examination& examination : link_examinations(broker("mqtts://broker.example.com"), {})) {
    if (examination.name != "dns") continue;
    CHECK(examination.limit > 10s);  // resolv.conf(5): two attempts of 5 s
    CHECK_THAT(examination.remedy, ContainsSubstring("getent hosts broker.example.com"));
    return;
  }
  FAIL("no dns");
}

TEST_CASE("Who answered: for long, or not much longer") {
  const auto now = Clock::time_point(std::chrono::seconds(1764547200));  // 2025-12-01 00:00:00 UTC
  TlsServer server{"CN=here", "CN=there", "TLSv1.3", now + 14 * 24h};
  CHECK(shown(judge_server(server, "h:1", now)) ==
        "ok tls: TLSv1.3 with h:1: CN=here, issued by CN=there, valid until 2025-12-15 00:00:00 UTC (in 14 "
        "days)");
  server.valid_until = now + 14 * 24h - 1s;
  CHECK_THAT(shown(judge_server(server, "h:1", now)), ContainsSubstring("warn tls: "));
  server.valid_until.reset();
  CHECK(state(judge_server(server, "h:1", now)) == "ok");
}

TEST_CASE("Beside a run nothing is sent, for certain or to be safe") {
  const BrokerSettings nowhere = broker("mqtt://127.0.0.1:1");  // a login would fail
  const auto beside = [&](const std::optional<Running>& running) {
    return check_session(nowhere, [&] { return running; });
  };
  const Checks certain = beside(Running{42, Running::How::this_outbox, "30.1 fps, broker connected"});
  REQUIRE(certain.size() == 1);
  CHECK_THAT(shown(certain[0]),
             ContainsSubstring("ok login: not tried: glimpse run, pid 42 is logged in as pi-1"));
  CHECK_THAT(certain[0].text, ContainsSubstring("it says: 30.1 fps, broker connected"));
  CHECK_THAT(
      shown(beside(Running{42, Running::How::perhaps, {}})[0]),
      ContainsSubstring("ok login: not tried: glimpse run, pid 42 is another user's and may be logged in"));
  CHECK_THAT(
      shown(beside(Running{42, Running::How::without_outbox, {}})[0]),
      ContainsSubstring("ok login: not tried: glimpse run, pid 42 has no outbox open and may be logged in"));
  CHECK(state(beside({})[0]) == "fail");
}
