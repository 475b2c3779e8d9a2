#include "diagnosis/date.hpp"

#include "core/utc.hpp"

namespace glimpse {

std::string utc_and_days(std::chrono::system_clock::time_point time,
                         std::chrono::system_clock::time_point now) {
  const auto days = std::chrono::floor<std::chrono::days>(time - now).count();
  return utc(time) + " (in " + std::to_string(days) + (days == 1 ? " day)" : " days)");
}

}  // namespace glimpse
