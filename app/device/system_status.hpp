// What the machine says of itself. What it cannot know stays empty and is null in a record, never invented.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "device/thermals.hpp"

namespace glimpse {

struct SystemStatus {
  std::optional<double> cpu_percent;  // share of non-idle time since the last reading, all cores, 0..100
  std::optional<std::vector<double>> per_core;  // the same for each core
  std::optional<double> memory_mb;              // MiB in use on the machine: MemTotal - MemAvailable
  std::optional<double> rss_mb;                 // MiB of this process's resident set
  HeatStatus heat;
};

/// Reads /proc and /sys below `root`, which is "" but in tests. cpu_percent counts as psutil.cpu_percent
/// does: iowait and idle are idle, guest time is already inside user time, a counter that went backwards did
/// not move. A reading in the same clock tick (10 ms) as the last repeats its CPU shares; before the first
/// tick they are 0. Throws nothing; about 50 us.
class SystemMeter {
 public:
  explicit SystemMeter(std::string root = "");
  /// The status now; CPU shares are those since the last call (the first call: since construction).
  [[nodiscard]] SystemStatus read();
  /// That part alone, which need not wait for the next record.
  [[nodiscard]] HeatStatus read_heat() { return thermals_.read(); }

 private:
  /// One line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice, in
  /// clock ticks.
  struct CpuTimes {
    std::string name;  // "cpu": all cores together; "cpu0", "cpu1", ...
    std::array<double, 10> ticks{};
  };
  [[nodiscard]] std::vector<CpuTimes> read_cpu_times()
      const;  // all cores together first; empty where unknown
  [[nodiscard]] static std::optional<double> busy_percent(const CpuTimes& before, const CpuTimes& now);
  void measure_cpu(SystemStatus& status);

  std::string root_;
  Thermals thermals_;
  std::vector<CpuTimes> last_;
  std::optional<double> cpu_percent_;  // the last answer: it stands until the clock has ticked again
  std::optional<std::vector<double>> per_core_;
};

/// MiB of this process's largest resident set so far: VmHWM of /proc/self/status, `root` as above.
[[nodiscard]] std::optional<double> peak_rss_mb(const std::string& root = "");

}  // namespace glimpse
