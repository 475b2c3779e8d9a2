// A look at an outbox that nobody uses, from outside.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "telemetry/outbox/sqlite.hpp"

namespace glimpse {

/// The process that has the file locked, 0 where it cannot be named (another container's); nothing where none
/// has. Looks without taking a lock itself. A process does not see locks of its own.
[[nodiscard]] std::optional<pid_t> holder_of(const std::string& file);

struct OutboxReport {
  std::optional<std::uint64_t> pending;  // records; empty: the time was not enough to count them
  std::uint64_t dropped = 0;             // since the file was made
  bool verified = false;                 // the time was enough to read the whole file, and it is whole
};

/// Throws DatabaseError where the file is in use, damaged or cannot be opened. It is locked meanwhile, and a
/// run that starts waits for it for a second, so `limit` is to be shorter: then it is let go, within the time
/// that the disk needs for a page. Changes nothing. In a process that has the file open nowhere else: it
/// would lose its locks (fcntl_locking(2)).
[[nodiscard]] OutboxReport inspect_outbox(const std::string& file, std::chrono::milliseconds limit);

}  // namespace glimpse
