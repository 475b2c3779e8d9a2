// Numbers as the views show them; what is unknown is a dash.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

namespace glimpse {

[[nodiscard]] inline std::string fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

[[nodiscard]] inline std::string fixed(const std::optional<double>& value, int decimals) {
  return value ? fixed(*value, decimals) : "-";
}

}  // namespace glimpse
