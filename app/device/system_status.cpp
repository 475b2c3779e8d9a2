#include "device/system_status.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace glimpse {
namespace {

constexpr double mib = 1024.0 * 1024.0;

/// A whole small file; empty where it cannot be read. Unlike a stream it costs three system calls and no
/// locale.
std::string read_text(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return {};
  std::string text;
  char chunk[4096];
  for (ssize_t got = 0; text.size() < 1 << 20 && (got = read(file, chunk, sizeof chunk)) > 0;) {
    text.append(chunk, static_cast<std::size_t>(got));
  }
  close(file);
  return text;
}

std::string_view next_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t\n"), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(" \t\n"));
  line.remove_prefix(word.size());
  return word;
}

template <typename Number = long long>
std::optional<Number> to_number(std::string_view word, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, base);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

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

/// In order of preference; a machine has other sensors too (battery, radio), which are not the CPU.
int rank_of_zone(std::string_view type) {
  constexpr std::string_view cpu_zones[] = {"cpu-thermal", "cpu_thermal", "x86_pkg_temp",
                                            "soc-thermal", "soc_thermal", "cpu0-thermal",
                                            "CPU-therm",   "k10temp",     "coretemp"};
  return static_cast<int>(std::find(std::begin(cpu_zones), std::end(cpu_zones), type) -
                          std::begin(cpu_zones));
}

std::string find_temperature_file(const std::string& root) {
  const std::string folder = root + "/sys/class/thermal/";
  DIR* zones = opendir(folder.c_str());
  if (zones == nullptr) return {};
  std::string best;
  int best_rank = rank_of_zone("");  // what no CPU zone has
  while (const dirent* entry = readdir(zones)) {
    const std::string zone = folder + entry->d_name;
    if (!std::string_view(entry->d_name).starts_with("thermal_zone")) continue;
    const std::string type = read_text(zone + "/type");
    std::string_view line = type;
    const int rank = rank_of_zone(next_word(line));
    if (rank < best_rank || (rank == best_rank && !best.empty() && zone + "/temp" < best)) {
      best = zone + "/temp";
      best_rank = rank;
    }
  }
  closedir(zones);
  return best;
}

/// Millidegrees. A sensor that is off says something like -274000.
std::optional<double> temperature_c(const std::string& text) {
  std::string_view line = text;
  const auto millidegrees = to_number(next_word(line));
  if (!millidegrees || *millidegrees < -60'000 || *millidegrees > 200'000) return std::nullopt;
  return static_cast<double>(*millidegrees) / 1000;
}

/// Hexadecimal, with or without 0x. Bits 16 to 19 say that the same happened since the start: not shown, it
/// is not now. Source: Raspberry Pi documentation, vcgencmd get_throttled.
std::optional<std::vector<std::string>> throttled(const std::string& text) {
  std::string_view line = text, word = next_word(line);
  if (word.starts_with("0x")) word.remove_prefix(2);
  const auto bits = to_number<unsigned long>(word, 16);
  if (!bits) return std::nullopt;
  constexpr const char* words[] = {"under-voltage", "frequency capped", "throttled",
                                   "soft temperature limit"};
  std::vector<std::string> now;
  for (unsigned bit = 0; bit < 4; ++bit) {
    if (*bits >> bit & 1) now.emplace_back(words[bit]);
  }
  return now;
}

}  // namespace

SystemMeter::SystemMeter(std::string root)
    : root_(std::move(root)), temperature_file_(find_temperature_file(root_)), last_(read_cpu_times()) {}

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
  if (!temperature_file_.empty()) status.temperature_c = temperature_c(read_text(temperature_file_));
  status.throttled = throttled(read_text(root_ + "/sys/devices/platform/soc/soc:firmware/get_throttled"));
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
