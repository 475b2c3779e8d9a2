// What paho sends arrives, and nobody but paho gets in.
#include "telemetry/link/relay.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "telemetry/link/proxy.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {

Patience patient() {
  return {{}, Steady::now() + 10s};
}

/// Reads until the end, or until `wanted` bytes have come.
std::string read(int fd, std::size_t wanted = std::string::npos) {
  std::string all;
  std::array<char, 4096> bytes{};
  while (all.size() < wanted && wait_for_socket(fd, POLLIN, patient())) {
    const ssize_t got = recv(fd, bytes.data(), std::min(bytes.size(), wanted - all.size()), MSG_DONTWAIT);
    if (got <= 0) break;
    all.append(bytes.data(), static_cast<std::size_t>(got));
  }
  return all;
}

struct Carried {
  Carried() {
    std::array<int, 2> pair{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()) == 0);
    broker = FileDescriptor(pair[1]);
    relay.emplace(FileDescriptor(pair[0]));
  }
  [[nodiscard]] FileDescriptor connect() const {
    const std::string& proxy = relay->as_proxy();
    FileDescriptor fd(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(proxy.substr(proxy.rfind(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    return fd;
  }
  /// As paho does it: Proxy.c of 1.3.12.
  [[nodiscard]] FileDescriptor connect_as_paho() const {
    FileDescriptor fd = connect();
    const std::string login = basic_login(relay->as_proxy().substr(0, relay->as_proxy().rfind('@')));
    REQUIRE(write_all(fd.get(),
                      "CONNECT h:1 HTTP/1.1\r\nHost: h\r\nProxy-authorization: " + login + "\r\n\r\n",
                      patient()));
    REQUIRE(read(fd.get(), 19) == "HTTP/1.1 200 OK\r\n\r\n");
    return fd;
  }
  FileDescriptor broker;
  std::optional<Relay> relay;
};

}  // namespace

TEST_CASE("bytes go both ways, in order, however many") {
  const Carried it;
  const FileDescriptor paho = it.connect_as_paho();
  std::string much(1 << 20, ' ');
  for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i * 7 + (i >> 8));
  const std::jthread send_up([&] { (void)write_all(paho.get(), much, patient()); });
  const std::jthread send_down([&] { (void)write_all(it.broker.get(), much, patient()); });
  std::string up;
  const std::jthread read_up([&] { up = read(it.broker.get(), much.size()); });
  CHECK((read(paho.get(), much.size()) == much));
}

TEST_CASE("who does not show the login is hung up on, and does not keep paho out") {
  const Carried it;
  std::vector<FileDescriptor> silent;
  for (int i = 0; i < 12; ++i) silent.push_back(it.connect());
  const FileDescriptor stranger = it.connect(), other = it.connect();
  REQUIRE(write_all(stranger.get(), "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\nHELLO", patient()));
  REQUIRE(
      write_all(other.get(),
                "CONNECT h:1 HTTP/1.1\r\nProxy-authorization: " + basic_login("glimpse:guess") + "\r\n\r\n",
                patient()));
  CHECK(read(stranger.get()).empty());
  CHECK(read(other.get()).empty());
  const FileDescriptor paho = it.connect_as_paho();
  REQUIRE(write_all(paho.get(), "paho", patient()));
  CHECK(read(it.broker.get(), 4) == "paho");
}

TEST_CASE("when paho hangs up, the broker gets what was under way and then the end") {
  const Carried it;
  {
    const FileDescriptor paho = it.connect_as_paho();
    REQUIRE(write_all(paho.get(), "DISCONNECT", patient()));
  }
  CHECK(read(it.broker.get()) == "DISCONNECT");
}

TEST_CASE("when the broker hangs up, so do we") {
  Carried it;
  const FileDescriptor paho = it.connect_as_paho();
  REQUIRE(write_all(it.broker.get(), "last", patient()));
  it.broker = FileDescriptor();
  CHECK(read(paho.get()) == "last");
}

TEST_CASE(
    "the end comes soon: with nobody there, with a broker that takes nothing, and with one that is idle") {
  for (const auto* state : {"nobody", "full", "idle"}) {
    INFO(state);
    Carried it;
    std::optional<FileDescriptor> paho;
    if (state != std::string("nobody")) paho.emplace(it.connect_as_paho());
    if (state == std::string("full")) {
      const std::string much(1 << 16, ' ');
      while (write_all(paho->get(), much, {{}, Steady::now() + 100ms})) continue;
    }
    const auto began = Steady::now();
    it.relay.reset();
    CHECK(Steady::now() - began < 1s);
  }
}
