// Carries paho's bytes over a connection that we have made.
#pragma once

#include <string>
#include <thread>

#include "telemetry/link/sockets.hpp"

namespace glimpse {

/// Paho makes its own connections in ways that a device in the field cannot use: it looks names up and waits
/// for a proxy's answer (10 s) under the lock that its disconnect needs, takes a proxy from the environment
/// by itself (1.3.12), and understands a proxy's answer only where it comes in one piece. So we connect, and
/// paho takes this for its proxy: a listener on 127.0.0.1 for one connection, whose CONNECT must show a
/// random login, so that nobody else on this machine gets in. TLS runs from paho to the broker, through us.
class Relay {
 public:
  /// Starts the one thread. `upstream`: connected, non-blocking. Throws std::system_error where no listener
  /// can be had.
  explicit Relay(FileDescriptor upstream);
  /// Carries what is under way, for at most 0.6 s, and hangs up on both sides.
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// user:password@127.0.0.1:port, as paho takes a proxy
  [[nodiscard]] const std::string& as_proxy() const { return as_proxy_; }

 private:
  void run(const std::stop_token& stop);
  /// The one connection that shows our login; none on a stop.
  [[nodiscard]] FileDescriptor await_client(const std::stop_token& stop);

  FileDescriptor upstream_, listener_;
  std::string login_, as_proxy_;
  std::jthread thread_;
};

}  // namespace glimpse
