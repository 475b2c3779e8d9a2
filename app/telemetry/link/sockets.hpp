// Waiting for sockets that a stop interrupts.
#pragma once

#include <algorithm>
#include <stop_token>
#include <string>

#include "core/file_descriptor.hpp"
#include "core/waiting.hpp"

namespace glimpse {

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
