// The way through an HTTP proxy: its URI, and every answer to CONNECT.
#include "telemetry/link/proxy.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "catch.hpp"
#include "core/error.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {

std::string refusal(const std::string& uri) {
  try {
    (void)parse_proxy_uri(uri);
    return "";
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    return error.what();
  }
}

/// A proxy whose whole answer is `answer`, then silence or an end.
struct Canned {
  explicit Canned(const std::string& answer, bool hangs_up = true) {
    std::array<int, 2> pair{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()) == 0);
    ours = FileDescriptor(pair[0]);
    theirs = FileDescriptor(pair[1]);
    REQUIRE(write(pair[1], answer.data(), answer.size()) == static_cast<ssize_t>(answer.size()));
    if (hangs_up) REQUIRE(shutdown(pair[1], SHUT_WR) == 0);
  }
  std::optional<LinkFault> ask(const std::string& proxy = "http://proxy.example:3128",
                               std::stop_token stop = {}, Steady::duration limit = 10s) {
    return ask_proxy(ours.get(), parse_proxy_uri(proxy), parse_broker_uri("mqtts://broker.example"),
                     {std::move(stop), Steady::now() + limit});
  }
  static std::string all_of(int fd) {
    std::array<char, 20000> bytes{};
    const ssize_t got = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return {bytes.data(), static_cast<std::size_t>(got > 0 ? got : 0)};
  }
  FileDescriptor ours, theirs;
};

}  // namespace

TEST_CASE("proxy URIs") {
  const Proxy plain = parse_proxy_uri("http://proxy.example:3128");
  CHECK(plain.address.host == "proxy.example");
  CHECK(plain.address.port == 3128);
  CHECK(plain.login.empty());
  CHECK(parse_proxy_uri("http://proxy.example:80/").address.port == 80);
  CHECK(parse_proxy_uri("http://[::1]:8080").address.host == "::1");
  // RFC 7617, section 2: its own example.
  CHECK(parse_proxy_uri("http://Aladdin:open%20sesame@192.0.2.1:1").login ==
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  // "a@b:c/d%e", by base64(1)
  CHECK(parse_proxy_uri("http://a%40b:c%2Fd%25e@h:1").login == "Basic YUBiOmMvZCVl");
}

TEST_CASE("what is no proxy URI is refused, and its password not repeated") {
  for (const auto& uri : {"",
                          "proxy.example:3128",
                          "https://proxy.example:3128",
                          "http://",
                          "http://proxy.example",
                          "http://proxy.example:0",
                          "http://proxy.example:99999",
                          "http://proxy.example:3128/path",
                          "http://a b:1",
                          "http://user:secret@proxy.example",
                          "http://user@proxy.example:1",
                          "http://:secret@proxy.example:1",
                          "http://user:secret%@h:1",
                          "http://user:secret%4@h:1",
                          "http://user:secret%zz@h:1",
                          "http://user:secret%0a@h:1",
                          "http://user:sec@ret@h:1",
                          "http://user:sec/ret@h:1",
                          "http://user:secret",
                          "http://user:secret@h:1\n"}) {
    INFO(uri);
    const std::string words = refusal(uri);
    CHECK_THAT(words, ContainsSubstring("http://user:password@host:port"));
    CHECK(words.find("sec") == std::string::npos);
  }
}

TEST_CASE("what the proxy is asked, and that what comes after its answer is left for the broker") {
  Canned proxy("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nNEXT");
  CHECK_FALSE(proxy.ask("http://Aladdin:open%20sesame@h:1"));
  CHECK(Canned::all_of(proxy.theirs.get()) ==
        "CONNECT broker.example:8883 HTTP/1.1\r\nHost: broker.example:8883\r\n"
        "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
  CHECK(Canned::all_of(proxy.ours.get()) == "NEXT");
}

TEST_CASE("every refusal of a proxy has its words") {
  struct {
    std::string answer, words;
    LinkProblem problem;
  } const cases[] = {
      {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "wants a login", LinkProblem::proxy_login},
      {"HTTP/1.1 403 Forbidden\r\n\r\n", "forbids the way to broker.example:8883",
       LinkProblem::proxy_refused},
      {"HTTP/1.0 502 Bad Gateway\r\n\r\n", "cannot reach broker.example:8883 (HTTP 502)",
       LinkProblem::proxy_refused},
      {"HTTP/1.1 418 Teapot\r\n\r\n", "does not connect us to broker.example:8883 (HTTP 418)",
       LinkProblem::proxy_refused},
      {"", "hung up without an answer", LinkProblem::proxy_refused},
      {"SSH-2.0-OpenSSH_9.2\r\n", "does not answer as an HTTP proxy", LinkProblem::proxy_refused},
      {"HTTP/1.1 200 OK\r\n", "does not answer as an HTTP proxy", LinkProblem::proxy_refused},
      {"HTTP/1.1 2x0 OK\r\n\r\n", "does not answer as an HTTP proxy", LinkProblem::proxy_refused},
      {"HTTP/1.1 200 OK\r\n" + std::string(9000, 'a'), "does not answer as an HTTP proxy",
       LinkProblem::proxy_refused},
  };
  for (const auto& [answer, words, problem] : cases) {
    INFO(words);
    const auto fault = Canned(answer).ask();
    REQUIRE(fault);
    CHECK(fault->problem == problem);
    CHECK_THAT(fault->reason, ContainsSubstring(words));
    CHECK_THAT(fault->reason, ContainsSubstring("the proxy at proxy.example:3128"));
  }
  const auto wrong = Canned("HTTP/1.1 407 No\r\n\r\n").ask("http://user:secret@h:1");
  REQUIRE(wrong);
  CHECK_THAT(wrong->reason, ContainsSubstring("does not take this user and password"));
  CHECK(wrong->reason.find("secret") == std::string::npos);
}

TEST_CASE("a silent proxy has a limit, and a stop ends the wait for it") {
  const auto fault = Canned("HTTP/1.1 2", false).ask("http://h:1", {}, 20ms);
  REQUIRE(fault);
  CHECK(fault->problem == LinkProblem::timed_out);
  CHECK_THAT(fault->reason, ContainsSubstring("does not answer"));
  std::stop_source stop;
  stop.request_stop();
  CHECK(Canned("", false).ask("http://h:1", stop.get_token(), 1h));
}
