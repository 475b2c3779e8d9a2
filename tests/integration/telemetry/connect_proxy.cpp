#include "connect_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>

#include "catch.hpp"
#include "telemetry/link/proxy.hpp"

namespace glimpse::test {
namespace {

Patience until(const std::stop_token& stop) {
  return {stop, Steady::time_point::max()};
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

/// "" at the end.
std::string some_bytes(int fd) {
  std::array<char, 16384> bytes{};
  const ssize_t got = recv(fd, bytes.data(), bytes.size(), 0);
  return {bytes.data(), static_cast<std::size_t>(got > 0 ? got : 0)};
}

}  // namespace

ConnectProxy::ConnectProxy(int port, std::vector<std::string> answer)
    : target_port_(port),
      answer_(std::move(answer)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(bind(listener_.get(), any, length) == 0);
  REQUIRE(listen(listener_.get(), 64) == 0);
  REQUIRE(getsockname(listener_.get(), any, &length) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

ConnectProxy::~ConnectProxy() {
  thread_ = {};  // stopped and joined before the list that it writes to
}

std::string ConnectProxy::uri(const std::string& login) const {
  return "http://" + login + "127.0.0.1:" + std::to_string(port_);
}

std::vector<ConnectProxy::Seen> ConnectProxy::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void ConnectProxy::serve(const std::stop_token& stop) {
  while (wait_for_socket(listener_.get(), POLLIN, until(stop))) {
    tunnels_.emplace_back([this, client = FileDescriptor(accept(listener_.get(), nullptr, nullptr))](
                              const std::stop_token& end) mutable { carry(end, std::move(client)); });
  }
}

void ConnectProxy::carry(const std::stop_token& stop, FileDescriptor client) {
  std::string request;
  while (read_header_bytes(client.get(), request) && !is_whole_header(request)) {
    if (!wait_for_socket(client.get(), POLLIN, until(stop))) break;
  }
  std::size_t index = 0;
  {
    const std::lock_guard lock(mutex_);
    index = seen_.size();
    seen_.push_back({request, ""});
  }
  if (answer_.empty()) {  // until the client has had enough
    (void)wait_for_socket(client.get(), POLLIN, until(stop));
    return;
  }
  const int on = 1;
  (void)setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  for (const auto& piece : answer_) {
    (void)write_all(client.get(), piece, until(stop));
    // Between two pieces, long enough for the other side to have read the first.
    if (answer_.size() > 1) (void)sleep_for(stop, std::chrono::milliseconds(20));
  }
  if (answer_.front().rfind("HTTP/1.1 200", 0) != 0) return;
  const FileDescriptor server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(target_port_);
  if (connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return;
  bool first = true;
  const std::jthread back([&](const std::stop_token& end) {
    while (wait_for_socket(server.get(), POLLIN, until(end))) {
      const std::string bytes = some_bytes(server.get());
      if (bytes.empty() || !write_all(client.get(), bytes, until(end))) break;
    }
    shutdown(client.get(), SHUT_RDWR);
  });
  while (wait_for_socket(client.get(), POLLIN, until(stop))) {
    const std::string bytes = some_bytes(client.get());
    if (bytes.empty() || !write_all(server.get(), bytes, until(stop))) break;
    if (std::exchange(first, false)) {
      const std::lock_guard lock(mutex_);
      seen_[index].first_bytes = bytes;
    }
  }
}

}  // namespace glimpse::test
