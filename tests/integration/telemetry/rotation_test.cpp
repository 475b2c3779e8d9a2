// Key and certificate renewed under a running link: the broker sees the new ones.
#include <filesystem>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;
namespace fs = std::filesystem;

namespace {

void put(const std::string& from, const std::string& to) {
  fs::copy_file(from, to + ".new");
  fs::rename(to + ".new", to);
}

/// How many sessions the broker has let in for the common name of a client's certificate.
int sessions_of(const TlsServer& server, const std::string& common_name) {
  const std::string log = server.log(), login = " u'" + common_name + "')";
  int found = 0;
  for (auto at = log.find(login); at != std::string::npos; at = log.find(login, at + 1)) ++found;
  return found;
}

void connect(Link& link) {
  const auto fault = link.connect({}, 10s, {[](std::uint64_t) {}, [](const LinkFault&) {}});
  INFO((fault ? fault->reason : ""));
  REQUIRE_FALSE(fault);
}

}  // namespace

TEST_CASE("renewed credentials are used by the next session, half-renewed ones by none") {
  const TempFolder made;
  make_certificates(made);
  put(made.file("device.crt"), made.file("live.crt"));
  put(made.file("device.key"), made.file("live.key"));
  const TlsServer server(made, "server", "use_identity_as_username true\nallow_anonymous false\n");
  const auto link = make_mqtt_link(server.settings("live"), [] { return std::string("{}"); });
  const auto seen = [&](const std::string& name, int count) {
    return eventually([&] { return sessions_of(server, name) == count; });
  };

  connect(*link);
  CHECK(seen("test-device", 1));
  CHECK_FALSE(link->refresh_credentials().changed);

  put(made.file("server.crt"), made.file("live.crt"));  // of the same authority, for "localhost"
  const CredentialNews half = link->refresh_credentials();
  CHECK_FALSE(half.changed);
  CHECK_THAT(half.text, ContainsSubstring("does not belong to"));
  connect(*link);
  CHECK(seen("test-device", 2));

  put(made.file("server.key"), made.file("live.key"));
  const CredentialNews whole = link->refresh_credentials();
  INFO(whole.text);
  CHECK(whole.changed);
  connect(*link);
  CHECK(seen("localhost", 1));

  // What is in use is in memory: a link comes back even when the files are gone.
  fs::remove(made.file("live.crt"));
  fs::remove(made.file("live.key"));
  connect(*link);
  CHECK(seen("localhost", 2));
  CHECK(sessions_of(server, "test-device") == 2);
}

TEST_CASE("a link without TLS has no credentials to renew") {
  BrokerSettings settings;
  settings.uri = "mqtt://localhost";
  settings.device = "test-device";
  settings.credentials.ca_file = "/does/not/matter";
  const auto link = make_mqtt_link(settings, [] { return std::string("{}"); });
  const CredentialNews news = link->refresh_credentials();
  CHECK_FALSE(news.changed);
  CHECK(news.text.empty());
}
