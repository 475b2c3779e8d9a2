// What to do with a damaged outbox: put it aside, and take over what can still be read.
#pragma once

#include <cstdint>
#include <string>

#include "telemetry/outbox/database.hpp"

namespace glimpse {

/// Renames `file`, its write-ahead log with it, to FILE.damaged-YYYYMMDD-HHMMSS (UTC) and returns that name.
/// At most 2 such files are kept. Throws DatabaseError(not_written).
[[nodiscard]] std::string set_aside(const std::string& file);

struct Salvage {
  std::uint64_t rows = 0;  // taken over, in their order
  std::uint64_t lost = 0;  // found, but not as they were stored
};

/// Takes over into `fresh` every row whose checksum holds and that the damaged file's structure still leads
/// to: from the first on, from the last back, and between the two each by its number; and the count of
/// dropped ones. Their new numbers follow `last_id`. Throws DatabaseError only when `fresh` cannot be
/// written.
Salvage salvage(const std::string& damaged_file, Database& fresh, std::int64_t last_id);

}  // namespace glimpse
