#include "device/thermals.hpp"

#include <dirent.h>
#include <glob.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "device/kernel_text.hpp"

namespace glimpse {
namespace {

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

std::vector<std::string> files_like(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> files;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  }
  globfree(&found);
  return files;
}

constexpr unsigned bits_now = 4;  // from bit 0
constexpr unsigned first_sticky_bit = 16;

/// Hexadecimal, with or without 0x. Source of the bits: Raspberry Pi documentation, vcgencmd get_throttled.
std::optional<unsigned long> throttled_bits(const std::string& text) {
  std::string_view line = text, word = next_word(line);
  if (word.starts_with("0x")) word.remove_prefix(2);
  return to_number<unsigned long>(word, 16);
}

std::vector<std::string> in_words(unsigned long bits) {
  constexpr const char* words[bits_now] = {throttling::under_voltage, throttling::frequency_capped,
                                           throttling::throttled, throttling::soft_limit};
  std::vector<std::string> set;
  for (unsigned bit = 0; bit < bits_now; ++bit) {
    if (bits >> bit & 1) set.emplace_back(words[bit]);
  }
  return set;
}

/// The largest of one file in all folders, which counts in kHz.
std::optional<double> fastest_mhz(const std::vector<std::string>& policies, const char* file) {
  std::optional<double> mhz;
  for (const std::string& policy : policies) {
    const std::string text = read_text(policy + file);
    std::string_view line = text;
    const auto khz = to_number(next_word(line));
    if (khz && *khz > 0) mhz = std::max(mhz.value_or(0), static_cast<double>(*khz) / 1000);
  }
  return mhz;
}

}  // namespace

Thermals::Thermals(std::string root, Steady::duration search_every)
    : root_(std::move(root)),
      search_every_(search_every),
      temperature_file_(find_temperature_file(root_)),
      cpu_policies_(files_like(root_ + "/sys/devices/system/cpu/cpufreq/policy*")) {}

/// The folder is soc on a Raspberry Pi 4 and older, soc@107c000000 on a 5: the name of the device tree's
/// node.
void Thermals::find_throttling() {
  const auto files = files_like(root_ + "/sys/devices/platform/soc*/*firmware/get_throttled");
  if (!files.empty()) throttled_file_ = files.front();
  if (!throttled_file_.empty()) return;
  for (const std::string& name : files_like(root_ + "/sys/class/hwmon/hwmon*/name")) {
    const std::string text = read_text(name);
    std::string_view line = text;
    if (next_word(line) != "rpi_volt") continue;
    alarm_file_ = name.substr(0, name.rfind('/')) + "/in0_lcrit_alarm";
    return;
  }
}

void Thermals::read_throttling(HeatStatus& heat) {
  if (throttled_file_.empty() && alarm_file_.empty()) {
    const auto time = Steady::now();
    if (time >= next_search_) {
      find_throttling();
      next_search_ = time + search_every_;
    }
  }
  std::optional<unsigned long> now;
  if (!throttled_file_.empty()) {
    const auto bits = throttled_bits(read_text(throttled_file_));
    if (!bits) return;
    now = *bits & ((1UL << bits_now) - 1);
    seen_ |= *now | (*bits >> first_sticky_bit & ((1UL << bits_now) - 1));
  } else if (!alarm_file_.empty()) {
    const std::string text = read_text(alarm_file_);
    std::string_view line = text;
    if (to_number(next_word(line)) == 1) now = 1;
    seen_ |= now.value_or(0);
  }
  if (now) heat.throttled = in_words(*now);
  if (now || seen_ != 0) heat.throttled_since_start = in_words(seen_);
}

HeatStatus Thermals::read() {
  HeatStatus heat;
  if (!temperature_file_.empty()) heat.temperature_c = temperature_c(read_text(temperature_file_));
  read_throttling(heat);
  heat.cpu_mhz = fastest_mhz(cpu_policies_, "/scaling_cur_freq");
  heat.cpu_max_mhz = fastest_mhz(cpu_policies_, "/cpuinfo_max_freq");
  return heat;
}

}  // namespace glimpse
