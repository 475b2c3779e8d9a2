// Numbers as the views show them; what is unknown, or no number, is a dash.
#pragma once

#include <cmath>
#include <cstdio>
#include <optional>
#include <string>

namespace glimpse {

[[nodiscard]] inline std::string fixed(double value, int decimals) {
  if (!std::isfinite(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

[[nodiscard]] inline std::string fixed(const std::optional<double>& value, int decimals) {
  return value ? fixed(*value, decimals) : "-";
}

}  // namespace glimpse
