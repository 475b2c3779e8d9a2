#include "config/duration.hpp"

#include <charconv>
#include <cmath>

namespace glimpse {

std::optional<std::chrono::milliseconds> parse_duration(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [unit_at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || !std::isfinite(value) || value < 0) return std::nullopt;
  const std::string unit(unit_at, end);
  const double ms = unit == "ms"                  ? value
                    : unit == "s" || unit.empty() ? value * 1e3
                    : unit == "m"                 ? value * 60e3
                    : unit == "h"                 ? value * 3600e3
                                                  : -1;
  if (ms < 0 || ms > 1e15) return std::nullopt;
  return std::chrono::milliseconds(std::llround(ms));
}

}  // namespace glimpse
