// Every step to a TCP connection has a limit and words of its own.
#include "telemetry/link/tcp_connect.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "catch.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {

Endpoint at(const std::string& host, int port = 8883) {
  Endpoint endpoint;
  endpoint.host = host;
  endpoint.port = port;
  return endpoint;
}

LinkFault fault_of(std::variant<FileDescriptor, LinkFault> tried) {
  REQUIRE(std::holds_alternative<LinkFault>(tried));
  return std::get<LinkFault>(tried);
}

Patience patience(Steady::duration limit = 1h, std::stop_token stop = {}) {
  return {std::move(stop), Steady::now() + limit};
}

/// A listener; `full`: the kernel leaves newcomers without an answer.
struct Listener {
  explicit Listener(bool full) : fd(socket(AF_INET, SOCK_STREAM, 0)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(listen(fd.get(), 0) == 0);
    REQUIRE(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    for (int i = 0; full && i < 8; ++i) {
      waiting.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      (void)connect(waiting.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
    }
  }
  [[nodiscard]] int port() const { return ntohs(address.sin_port); }
  FileDescriptor fd;
  sockaddr_in address{};
  std::vector<FileDescriptor> waiting;
};

}  // namespace

TEST_CASE("a connection that is taken") {
  const Listener listener(false);
  TcpConnector connector;
  CHECK(std::holds_alternative<FileDescriptor>(
      connector.connect(at("127.0.0.1", listener.port()), patience())));
}

TEST_CASE("no answer to a TCP connection has a limit of its own") {
  const Listener listener(true);
  LinkLimits limits;
  limits.tcp = 20ms;
  TcpConnector connector({}, limits);
  const auto fault = fault_of(connector.connect(at("127.0.0.1", listener.port()), patience()));
  CHECK(fault.problem == LinkProblem::timed_out);
  CHECK_THAT(fault.reason, ContainsSubstring("no answer from 127.0.0.1:"));
}

TEST_CASE("a stop ends the wait for a TCP connection") {
  const Listener listener(true);
  std::stop_source stop;
  TcpConnector connector;
  const std::jthread later([&] { stop.request_stop(); });
  CHECK(std::holds_alternative<LinkFault>(
      connector.connect(at("127.0.0.1", listener.port()), patience(1h, stop.get_token()))));
}

TEST_CASE("looking a name up has a limit of its own") {
  LinkLimits limits;
  limits.name_lookup = 0ms;
  // However unlikely, the lookup may win the race against no time at all.
  for (int attempt = 0; attempt < 5; ++attempt) {
    TcpConnector connector({}, limits);
    auto tried = connector.connect(at("no-such-host.invalid"), patience());
    const auto fault = fault_of(std::move(tried));
    if (fault.problem == LinkProblem::name_lookup) continue;
    CHECK(fault.problem == LinkProblem::timed_out);
    CHECK_THAT(fault.reason,
               ContainsSubstring("the name 'no-such-host.invalid' could not be looked up within"));
    return;
  }
  FAIL("five lookups took no time");
}

TEST_CASE("the whole attempt's limit cuts the others") {
  const Listener listener(true);
  TcpConnector connector;
  CHECK(fault_of(connector.connect(at("127.0.0.1", listener.port()), patience(20ms))).problem ==
        LinkProblem::timed_out);
}

TEST_CASE("a proxy that is not there is named, not the broker") {
  const Listener listener(false);
  TcpConnector connector(parse_proxy_uri("http://127.0.0.1:1"), LinkLimits{});
  const auto fault = fault_of(connector.connect(at("broker.example"), patience()));
  CHECK(fault.problem == LinkProblem::unreachable);
  CHECK_THAT(fault.reason, ContainsSubstring("the proxy at 127.0.0.1:1"));
}
