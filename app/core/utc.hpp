// Moments as lines for people have them.
#pragma once

#include <chrono>
#include <string>

namespace glimpse {

/// "2026-12-24 18:00:00 UTC"
[[nodiscard]] std::string utc(std::chrono::system_clock::time_point time);

}  // namespace glimpse
