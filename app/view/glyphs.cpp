#include "view/glyphs.hpp"

#include <algorithm>
#include <cmath>

namespace glimpse {
namespace {

/// Within 0 and 1. std::clamp keeps what is not a number, which has no length.
double proper(double share) {
  return share > 0 ? std::min(share, 1.0) : 0;
}

}  // namespace

std::string bar(double share, int columns, bool blocks) {
  static constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double length = proper(share) * columns;
  if (!blocks) return std::string(static_cast<std::size_t>(std::lround(length)), '#');
  const int filled = static_cast<int>(std::lround(length * 8));
  std::string text;
  for (int i = 0; i < filled / 8; ++i) text += "█";
  return text + eighths[filled % 8];
}

std::string sparkline(const std::vector<std::optional<double>>& values, double full, bool blocks) {
  static constexpr const char* levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇"};
  static constexpr const char* ascii_levels[] = {"_", ".", "-", "=", "+", "*", "#"};
  std::string text;
  for (const auto& value : values) {
    const double share = full > 0 ? proper(value.value_or(0) / full) : 0;
    const auto level = static_cast<std::size_t>(std::lround(share * 6));
    text += !value ? " " : blocks ? levels[level] : ascii_levels[level];
  }
  return text;
}

}  // namespace glimpse
