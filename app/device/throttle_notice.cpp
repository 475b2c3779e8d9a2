#include "device/throttle_notice.hpp"

#include <algorithm>
#include <cstdio>

namespace glimpse {
namespace {

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string degrees(const std::optional<double>& temperature_c) {
  if (!temperature_c) return "";
  char text[32];
  std::snprintf(text, sizeof text, " at %.0f °C", *temperature_c);
  return text;
}

/// Low voltage makes the firmware throttle, too: then a fan mends nothing.
std::string remedy(const std::vector<std::string>& words) {
  if (has(words, throttling::under_voltage))
    return "use a 5 V 3 A supply (Raspberry Pi 5: 5 V 5 A) and a short, thick cable";
  return "give the CPU a heatsink or a fan, or less to do (--adapt)";
}

}  // namespace

std::optional<ThrottleNotice::Line> ThrottleNotice::after(const HeatStatus& heat, Steady::time_point now) {
  const std::vector<std::string> words = heat.throttled.value_or(std::vector<std::string>{});
  if (words.empty()) {
    if (told_.empty() || now - last_seen_ < quiet) return std::nullopt;
    const Line ended{false, "the firmware has not said " + joined(told_) + " for " +
                                std::to_string(std::chrono::seconds(quiet).count()) + " s"};
    told_.clear();
    return ended;
  }
  last_seen_ = now;
  const std::size_t before = told_.size();
  for (const std::string& word : words) {
    if (!has(told_, word)) told_.push_back(word);
  }
  if (told_.size() == before) return std::nullopt;
  return Line{true,
              "the firmware says " + joined(words) + degrees(heat.temperature_c) + ": " + remedy(words)};
}

}  // namespace glimpse
