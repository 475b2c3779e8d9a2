// Stopping never takes long, whatever the other side does.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

// A sanitizer makes reading the system's 140 authorities, which happens before a handshake, take a second by
// itself.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr auto stop_limit = 6s;
#else
constexpr auto stop_limit = 2s;
#endif

/// Takes connections and never says a word.
class SilentServer {
 public:
  explicit SilentServer(int backlog = 16) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(listen(fd_, backlog) == 0);
    REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port_ = ntohs(address.sin_port);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() {
    for (const int client : clients_) close(client);
    close(fd_);
  }
  void wait_for_client() {
    const int client = accept(fd_, nullptr, nullptr);
    REQUIRE(client >= 0);
    clients_.push_back(client);  // kept open
  }
  /// After this the kernel leaves newcomers without an answer.
  void fill_backlog() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    for (int i = 0; i < 8; ++i) {
      clients_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      (void)connect(clients_.back(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
    }
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int fd_, port_ = 0;
  std::vector<int> clients_;
};

Steady::duration time_to_finish(Device& device) {
  const auto began = Steady::now();
  device.publisher.finish(0s);
  return Steady::now() - began;
}

BrokerSettings settings(const std::string& uri) {
  BrokerSettings made;
  made.uri = uri;
  made.device = "test-device";
  return made;
}

}  // namespace

TEST_CASE("stop within 2 s while the server keeps silent in the TLS handshake") {
  SilentServer server;
  Device device(settings("mqtts://" + server.address()));
  device.accept(1, 1);
  server.wait_for_client();
  CHECK(time_to_finish(device) < stop_limit);
}

TEST_CASE("stop within 2 s while the server keeps silent in MQTT") {
  SilentServer server;
  Device device(settings("mqtt://" + server.address()));
  device.accept(1, 1);
  server.wait_for_client();  // our own look
  server.wait_for_client();  // paho
  CHECK(time_to_finish(device) < stop_limit);
}

TEST_CASE("stop within 2 s while a TCP connection is not taken") {
  SilentServer server(0);
  server.fill_backlog();
  Device device(settings("mqtts://" + server.address()));
  device.accept(1, 1);
  (void)eventually([until = Steady::now() + 100ms] { return Steady::now() >= until; });
  CHECK(device.status().last_error.empty());  // still trying
  CHECK(time_to_finish(device) < stop_limit);
}

TEST_CASE("stop within 2 s while packets vanish or a name is looked up") {
  // RFC 5737: nobody has this address. RFC 2606: nor this name.
  for (const auto* uri : {"mqtts://192.0.2.1", "mqtts://no-such-host.invalid"}) {
    for (const auto delay : {0ms, 1ms, 100ms}) {
      Device device(settings(uri));
      device.accept(1, 1);
      (void)eventually([until = Steady::now() + delay] { return Steady::now() >= until; });
      CHECK(time_to_finish(device) < stop_limit);
    }
  }
}

TEST_CASE("stop in any other state: 30 publishers, each stopped a little later than the one before") {
  Broker broker;
  broker.start();
  for (int i = 0; i < 30; ++i) {
    Device device(broker.settings());
    device.accept(1, 5);
    (void)eventually([&, until = Steady::now() + i * 3ms] { return Steady::now() >= until; });
    CHECK(time_to_finish(device) < stop_limit + 500ms);
  }
}

TEST_CASE("stop while the broker is frozen in the middle of a session") {
  Broker broker;
  broker.start();
  Device device(broker.settings());
  REQUIRE(eventually([&] { return device.status().link == LinkState::connected; }));
  const std::string pid = read_text(broker.file("pid"));
  REQUIRE(run({"kill", "-STOP", std::to_string(std::stoi(pid))}, "/dev/null") == 0);
  device.accept(1, 1);
  CHECK(time_to_finish(device) < stop_limit + 500ms);
  REQUIRE(run({"kill", "-CONT", std::to_string(std::stoi(pid))}, "/dev/null") == 0);
  CHECK(device.status().pending <= 1);
}
