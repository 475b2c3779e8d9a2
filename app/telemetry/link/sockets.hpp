// Sockets that are closed with their owner, and waiting for them that a stop interrupts.
#pragma once

#include <algorithm>
#include <stop_token>
#include <string>
#include <utility>

#include "core/waiting.hpp"

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
  /// The same, but for `limit` from now at most.
  [[nodiscard]] Patience at_most(Steady::duration limit) const {
    return {stop, std::min(deadline, Steady::now() + limit)};
  }
};

/// Waits until `fd` shows one of `events` (poll(2)). False when patience is over.
[[nodiscard]] bool wait_for_socket(int fd, short events, const Patience& patience);

/// Writes all of `text`; false where the other side hung up or patience was over.
[[nodiscard]] bool write_all(int fd, const std::string& text, const Patience& patience);

}  // namespace glimpse
