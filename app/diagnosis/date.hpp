// Ends of certificates as the checks print them.
#pragma once

#include <chrono>
#include <string>

namespace glimpse {

/// "2026-12-24 18:00:00 UTC (in 31 days)"
[[nodiscard]] std::string utc_and_days(std::chrono::system_clock::time_point time,
                                       std::chrono::system_clock::time_point now);

}  // namespace glimpse
