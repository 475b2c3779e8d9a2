// A TCP connection whose every wait has a limit and ends on a stop: looking the name up included.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "telemetry/link/broker_settings.hpp"
#include "telemetry/link/link_fault.hpp"
#include "telemetry/link/proxy.hpp"
#include "telemetry/link/sockets.hpp"

namespace glimpse {

/// What each part of an attempt may take; the whole attempt has a limit besides.
struct LinkLimits {
  std::chrono::milliseconds name_lookup{5000};
  std::chrono::milliseconds tcp{5000};
  std::chrono::milliseconds proxy{5000};  // its answer to CONNECT
  std::chrono::milliseconds tls{10000};
  std::chrono::milliseconds mqtt{10000};  // TLS once more, and CONNACK
};

class TcpConnector {
 public:
  explicit TcpConnector(std::optional<Proxy> proxy = {}, LinkLimits limits = {});

  /// A connected, non-blocking socket: to `endpoint`, or to the proxy that carries us on to it. Takes the
  /// first IPv4 address of the name, else the first of any kind.
  [[nodiscard]] std::variant<FileDescriptor, LinkFault> connect(const Endpoint& endpoint,
                                                                const Patience& patience);
  [[nodiscard]] const LinkLimits& limits() const { return limits_; }

 private:
  struct Found;
  struct Lookup;
  /// `name` is what the words of a fault call it.
  [[nodiscard]] std::variant<FileDescriptor, LinkFault> reach(const Endpoint& target, const std::string& name,
                                                              const Patience& patience);
  [[nodiscard]] std::optional<Found> look_up_in_time(const Endpoint& target, const Patience& patience);
  static Found look_up(const Endpoint& target);

  std::optional<Proxy> proxy_;
  LinkLimits limits_;
  // A lookup that outlasted its limit; the next connect() waits for it instead of starting another one.
  std::shared_ptr<Lookup> pending_;
};

}  // namespace glimpse
