// A TCP connection whose every wait has a limit and ends on a stop: looking the name up included.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>

#include "core/waiting.hpp"
#include "telemetry/link/broker_settings.hpp"
#include "telemetry/link/link_fault.hpp"

namespace glimpse {

/// A file descriptor that is closed with its owner.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int release() { return std::exchange(fd_, -1); }
  int fd_;
};

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
