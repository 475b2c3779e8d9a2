#include "diagnosis/date.hpp"

#include <ctime>

namespace glimpse {

std::string utc(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32] = "";
  strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

std::string utc_and_days(std::chrono::system_clock::time_point time,
                         std::chrono::system_clock::time_point now) {
  const auto days = std::chrono::floor<std::chrono::days>(time - now).count();
  return utc(time) + " (in " + std::to_string(days) + (days == 1 ? " day)" : " days)");
}

}  // namespace glimpse
