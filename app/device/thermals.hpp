// How hot the machine is, whether its firmware slows it down, and how fast its CPU runs.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/waiting.hpp"

namespace glimpse {

/// What throttling is called, in get_throttled's order of bits. The first is about power, the others are
/// what the firmware does against heat, or against low voltage.
namespace throttling {
inline constexpr const char* under_voltage = "under-voltage";
inline constexpr const char* frequency_capped = "frequency capped";
inline constexpr const char* throttled = "throttled";
inline constexpr const char* soft_limit = "soft temperature limit";
}  // namespace throttling

/// What cannot be known stays empty.
struct HeatStatus {
  std::optional<double> temperature_c;                // of the CPU, degrees Celsius
  std::optional<std::vector<std::string>> throttled;  // now, in words; empty: known and none
  /// The same, for all that was seen since this object's reader was made.
  std::optional<std::vector<std::string>> throttled_since_start;
  std::optional<double> cpu_mhz;      // of the fastest core, as the kernel set it
  std::optional<double> cpu_max_mhz;  // what it can do
};

/// Reads /sys below `root`. Raspberry Pi OS's kernel has get_throttled; any other has the rpi_volt sensor at
/// most, which knows of under-voltage alone: without an alarm the rest is unknown, not "none".
///
/// The firmware's own "since boot" bits (16 to 19) cannot be had here: the kernel clears them each time that
/// it asks, every 2 s, so in sysfs they say what happened since then. Read every 2 s or oftener, nothing is
/// missed, and the sum is what happened since the start. Source: raspberrypi-hwmon.c, "Request firmware to
/// clear sticky bits"; raspberrypi.c, get_throttled_show().
///
/// cpu_mhz does not show what the firmware takes off when it throttles: github.com/raspberrypi/linux issue
/// 2986. Throws nothing; about 50 us.
class Thermals {
 public:
  /// `search_every`: while there is neither, one is looked for so often, because its driver may come late.
  explicit Thermals(std::string root = "", Steady::duration search_every = std::chrono::seconds(10));
  [[nodiscard]] HeatStatus read();

 private:
  void find_throttling();
  void read_throttling(HeatStatus& heat);

  std::string root_;
  Steady::duration search_every_;
  Steady::time_point next_search_ = Steady::time_point::min();
  // Found once: looking through all of /sys for each record would cost more than the rest.
  std::string temperature_file_;
  std::string throttled_file_, alarm_file_;  // one of them, or none
  std::vector<std::string> cpu_policies_;    // folders
  unsigned long seen_ = 0;                   // bits 0 to 3
};

}  // namespace glimpse
