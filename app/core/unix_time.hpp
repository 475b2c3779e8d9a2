// The wall clock in the form that records have.
#pragma once

#include <chrono>
#include <cstdint>

namespace glimpse {

/// Milliseconds since 1970.
[[nodiscard]] inline std::int64_t unix_ms() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
}

}  // namespace glimpse
