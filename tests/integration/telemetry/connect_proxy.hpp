// An HTTP proxy for the tests, which takes CONNECT and remembers what it saw.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/link/sockets.hpp"

namespace glimpse::test {

class ConnectProxy {
 public:
  struct Seen {
    std::string request;      // the header of CONNECT
    std::string first_bytes;  // what the client sent first through the tunnel: a ClientHello
  };

  /// Whatever target it is asked for, it connects to `port` on 127.0.0.1. Its answer goes out as these
  /// pieces, each on its own; anything but "HTTP/1.1 200" and it then hangs up. No pieces: it keeps silent.
  explicit ConnectProxy(int port, std::vector<std::string> answer = {"HTTP/1.1 200 OK\r\n\r\n"});
  ~ConnectProxy();
  ConnectProxy(const ConnectProxy&) = delete;
  ConnectProxy& operator=(const ConnectProxy&) = delete;

  [[nodiscard]] std::string uri(const std::string& login = "") const;
  [[nodiscard]] std::vector<Seen> seen() const;

 private:
  void serve(const std::stop_token& stop);
  void carry(const std::stop_token& stop, FileDescriptor client);

  int target_port_, port_ = 0;
  std::vector<std::string> answer_;
  FileDescriptor listener_;
  mutable std::mutex mutex_;
  std::vector<Seen> seen_;
  std::vector<std::jthread> tunnels_;
  std::jthread thread_;  // last: it uses all of them
};

}  // namespace glimpse::test
