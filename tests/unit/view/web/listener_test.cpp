#include "view/web/listener.hpp"

#include "catch.hpp"
#include "core/error.hpp"

using namespace glimpse;

namespace {

ExitCode refused(const std::string& text) {
  try {
    (void)listen_at(text);
    return ExitCode::ok;
  } catch (const Error& error) {
    CHECK_THAT(error.what(), ContainsSubstring("--web"));
    return error.code();
  }
}

}  // namespace

TEST_CASE("An address is a host and a port") {
  CHECK(parse_web_address("127.0.0.1:8080").host == "127.0.0.1");
  CHECK(parse_web_address("[::1]:8080").host == "::1");
  CHECK(parse_web_address("pi:65535").port == "65535");
  for (const char* text : {"", ":", "8080", "pi", "pi:", ":8080", "pi:65536", "pi:+1", "pi:99999999999",
                           "::1:8080", "[]:1", "http://pi:1", "a@b:1", "a b:1"})
    CHECK_THROWS_AS(parse_web_address(text), Error);
}

TEST_CASE("Who listens on loopback is reached by this machine alone") {
  const Listener loopback = listen_at("127.0.0.1:0");
  CHECK(loopback.loopback);
  CHECK(loopback.port > 0);
  CHECK(url_of(loopback, "pi") == "http://127.0.0.1:" + std::to_string(loopback.port) + "/");
  const Listener all = listen_at("0.0.0.0:0");
  CHECK_FALSE(all.loopback);
  CHECK(url_of(all, "pi") == "http://pi:" + std::to_string(all.port) + "/");
}

TEST_CASE("A port that is taken and an address that is not ours are unavailable") {
  const Listener first = listen_at("127.0.0.1:0");
  CHECK(refused("127.0.0.1:" + std::to_string(first.port)) == ExitCode::unavailable);
  CHECK(refused("192.0.2.1:8080") == ExitCode::unavailable);  // RFC 5737: of nobody
  CHECK(refused("junk") == ExitCode::usage);
}
