#include "device/system_status.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "device/kernel_text.hpp"

namespace glimpse {
namespace {

constexpr double mib = 1024.0 * 1024.0;

/// MemTotal - MemAvailable of /proc/meminfo, which counts in KiB.
std::optional<double> used_memory_mb(const std::string& meminfo) {
  std::optional<long long> total, available;
  for (std::string_view text = meminfo; !text.empty();) {
    std::string_view line = next_line(text);
    const std::string_view key = next_word(line);
    if (key == "MemTotal:") total = to_number(next_word(line));
    if (key == "MemAvailable:") available = to_number(next_word(line));
  }
  if (!total || !available || *available > *total || *available < 0) return std::nullopt;
  return static_cast<double>(*total - *available) / 1024;
}

/// The second number of /proc/self/statm, in pages. Source: proc(5).
std::optional<double> resident_mb(const std::string& statm) {
  std::string_view line = statm;
  const auto size = to_number(next_word(line)), pages = to_number(next_word(line));
  if (!size || !pages || *pages < 0) return std::nullopt;
  return static_cast<double>(*pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / mib;
}

}  // namespace

SystemMeter::SystemMeter(std::string root)
    : root_(std::move(root)), thermals_(root_), last_(read_cpu_times()) {}

std::vector<SystemMeter::CpuTimes> SystemMeter::read_cpu_times() const {
  const std::string stat = read_text(root_ + "/proc/stat");
  std::vector<CpuTimes> times;
  for (std::string_view text = stat; text.starts_with("cpu");) {
    std::string_view line = next_line(text);
    CpuTimes core;
    core.name = next_word(line);
    std::size_t fields = 0;
    for (; fields < core.ticks.size(); ++fields) {  // old kernels have fewer
      const auto ticks = to_number(next_word(line));
      if (!ticks) break;
      core.ticks[fields] = static_cast<double>(*ticks);
    }
    if (fields < 4) return {};
    times.push_back(std::move(core));
  }
  if (!times.empty() && times.front().name != "cpu") return {};
  return times;
}

/// Empty where no tick has passed. Source: psutil, cpu_percent() and _cpu_times_deltas() in
/// psutil/__init__.py.
std::optional<double> SystemMeter::busy_percent(const CpuTimes& before, const CpuTimes& now) {
  constexpr std::size_t idle = 3, iowait = 4, guest = 8;
  double total = 0, unused = 0;
  for (std::size_t i = 0; i < guest; ++i) {  // guest and guest_nice are in user and nice
    const double passed = std::max(0.0, now.ticks[i] - before.ticks[i]);
    total += passed;
    if (i == idle || i == iowait) unused += passed;
  }
  if (total <= 0) return std::nullopt;
  return 100 * (total - unused) / total;
}

void SystemMeter::measure_cpu(SystemStatus& status) {
  std::vector<CpuTimes> now = read_cpu_times();
  const auto same_name = [](const CpuTimes& a, const CpuTimes& b) { return a.name == b.name; };
  const bool comparable = std::equal(now.begin(), now.end(), last_.begin(), last_.end(), same_name);
  if (now.empty() || !comparable) {  // a core went off or on: nothing to compare with until the next reading
    cpu_percent_.reset();
    per_core_.reset();
    last_ = std::move(now);
    return;
  }
  const auto all = busy_percent(last_.front(), now.front());
  if (all || !cpu_percent_) {
    cpu_percent_ = all.value_or(0);
    per_core_.emplace();
    for (std::size_t i = 1; i < now.size(); ++i)
      per_core_->push_back(busy_percent(last_[i], now[i]).value_or(0));
    if (per_core_->empty()) per_core_.reset();
    last_ = std::move(now);
  }
  status.cpu_percent = cpu_percent_;
  status.per_core = per_core_;
}

SystemStatus SystemMeter::read() {
  SystemStatus status;
  measure_cpu(status);
  status.memory_mb = used_memory_mb(read_text(root_ + "/proc/meminfo"));
  status.rss_mb = resident_mb(read_text(root_ + "/proc/self/statm"));
  status.heat = thermals_.read();
  return status;
}

std::optional<double> peak_rss_mb(const std::string& root) {
  const std::string status = read_text(root + "/proc/self/status");
  for (std::string_view text = status; !text.empty();) {
    std::string_view line = next_line(text);
    if (next_word(line) != "VmHWM:") continue;
    const auto kib = to_number(next_word(line));
    return kib ? std::optional(static_cast<double>(*kib) / 1024) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace glimpse
