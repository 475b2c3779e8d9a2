#include "diagnosis/link.hpp"

#include "../device/certificates.hpp"
#include "catch.hpp"
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

}  // namespace

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
             ContainsSubstring("skip login: not tried: glimpse run, pid 42 is logged in as pi-1"));
  CHECK_THAT(certain[0].text, ContainsSubstring("it says: 30.1 fps, broker connected"));
  CHECK_THAT(
      shown(beside(Running{42, Running::How::perhaps, {}})[0]),
      ContainsSubstring("skip login: not tried: glimpse run, pid 42 is another user's and may be logged in"));
  CHECK_THAT(shown(beside(Running{42, Running::How::without_outbox, {}})[0]),
             ContainsSubstring(
                 "skip login: not tried: glimpse run, pid 42 has no outbox open and may be logged in"));
  CHECK(state(beside({})[0]) == "fail");
}
