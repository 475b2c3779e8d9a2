// Durations as people write them.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace glimpse {

/// "250ms", "1.5s", "2m", "1h"; a bare number is seconds. Nothing for anything else, negative ones included.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(const std::string& text);

}  // namespace glimpse
