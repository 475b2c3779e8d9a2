// A TCP connection whose every wait has a limit and ends on a stop: looking the name up included.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>

#include "core/file_descriptor.hpp"
#include "core/waiting.hpp"
#include "telemetry/link/broker_settings.hpp"
#include "telemetry/link/link_fault.hpp"

namespace glimpse {

/// When to give up waiting.
struct Patience {
  std::stop_token stop;
  Steady::time_point deadline;
  [[nodiscard]] bool over() const { return stop.stop_requested() || Steady::now() >= deadline; }
};

/// Waits until `fd` shows one of `events` (poll(2)). False when patience is over.
[[nodiscard]] bool wait_for_socket(int fd, short events, const Patience& patience);

class TcpConnector {
 public:
  /// A connected, non-blocking socket. Takes the first IPv4 address, else the first of any kind, as paho
  /// does, so that both talk to the same server.
  [[nodiscard]] std::variant<FileDescriptor, LinkFault> connect(const Endpoint& endpoint,
                                                                const Patience& patience);

 private:
  struct Lookup;
  // A lookup that outlasted its limit; the next connect() waits for it instead of starting another one.
  std::shared_ptr<Lookup> pending_;
};

}  // namespace glimpse
