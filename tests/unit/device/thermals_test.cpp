#include "device/thermals.hpp"

#include <utility>
#include <vector>

#include "catch.hpp"
#include "temp_folder.hpp"

using glimpse::HeatStatus;
using glimpse::Thermals;

namespace {

using Words = std::vector<std::string>;
const Words unknown{"unknown"};

// Seen on a Raspberry Pi 4 (raspberrypi/linux pull request 2397), and a 5 (its firmware's lines in dmesg).
const std::string pi_4 = "sys/devices/platform/soc/soc:firmware/get_throttled";
const std::string pi_5 = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled";

Words now(Thermals& thermals) {
  return thermals.read().throttled.value_or(unknown);
}
Words since_start(Thermals& thermals) {
  return thermals.read().throttled_since_start.value_or(unknown);
}

}  // namespace

TEST_CASE("the temperature is the CPU's and no other") {
  const TempFolder root;
  root.write("sys/class/thermal/thermal_zone0/type", "acpitz\n");
  root.write("sys/class/thermal/thermal_zone0/temp", "27800\n");
  CHECK_FALSE(Thermals(root.path()).read().temperature_c);
  root.write("sys/class/thermal/thermal_zone1/type", "x86_pkg_temp\n");
  root.write("sys/class/thermal/thermal_zone1/temp", "55000\n");
  CHECK(Thermals(root.path()).read().temperature_c.value_or(-1) == Approx(55.0));
  root.write("sys/class/thermal/thermal_zone2/type", "cpu-thermal\n");
  root.write("sys/class/thermal/thermal_zone2/temp", "61223\n");
  Thermals meter(root.path());
  CHECK(meter.read().temperature_c.value_or(-1) == Approx(61.223));
  root.write("sys/class/thermal/thermal_zone2/temp", "-5000\n");
  CHECK(meter.read().temperature_c.value_or(-1) == Approx(-5.0));
  for (const char* broken : {"", "hot\n", "-274000\n", "99999999999999999999\n"}) {
    root.write("sys/class/thermal/thermal_zone2/temp", broken);
    CHECK_FALSE(meter.read().temperature_c);
  }
}

TEST_CASE("throttling in words, from a Raspberry Pi 4's file and from a 5's") {
  for (const std::string& file : {pi_4, pi_5}) {
    const TempFolder root;
    Thermals thermals(root.path(), std::chrono::seconds(0));
    CHECK(now(thermals) == unknown);  // no Raspberry Pi: unknown, which is not "none"
    CHECK(since_start(thermals) == unknown);
    for (const auto& [text, words] : std::vector<std::pair<std::string, Words>>{
             {"0\n", {}},
             {"0x50005\n", {"under-voltage", "throttled"}},
             {"50000\n", {}},  // it happened, but not now
             {"a\n", {"frequency capped", "soft temperature limit"}},
             {"f", {"under-voltage", "frequency capped", "throttled", "soft temperature limit"}},
             {"fff0\n", {}}}) {
      root.write(file, text);
      CHECK(now(thermals) == words);
    }
    for (const char* broken : {"what?", "", "0x", "-1", "1ffffffffffffffff"}) {
      root.write(file, broken);
      CHECK(now(thermals) == unknown);
    }
  }
}

TEST_CASE("what was seen once is remembered, though the kernel clears its bits every 2 s") {
  const TempFolder root;
  root.write(pi_4, "0\n");
  Thermals thermals(root.path());
  CHECK(since_start(thermals) == Words{});
  root.write(pi_4, "10000\n");  // between two readings
  CHECK(since_start(thermals) == Words{"under-voltage"});
  root.write(pi_4, "80008\n");
  CHECK(since_start(thermals) == Words{"under-voltage", "soft temperature limit"});
  root.write(pi_4, "0\n");
  CHECK(since_start(thermals) == Words{"under-voltage", "soft temperature limit"});
  CHECK(now(thermals) == Words{});
}

TEST_CASE("every sticky bit has its word") {
  for (const auto& [text, word] : {std::pair{"10000", "under-voltage"},
                                   {"20000", "frequency capped"},
                                   {"40000", "throttled"},
                                   {"80000", "soft temperature limit"}}) {
    const TempFolder root;
    root.write(pi_4, text);
    Thermals thermals(root.path());
    CHECK(since_start(thermals) == Words{word});
  }
}

TEST_CASE("a kernel without get_throttled has a sensor for under-voltage, which knows nothing else") {
  const TempFolder root;
  root.write("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
  root.write("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n");  // another sensor's
  Thermals thermals(root.path(), std::chrono::seconds(0));
  CHECK(now(thermals) == unknown);
  root.write("sys/class/hwmon/hwmon1/name", "rpi_volt\n");  // a driver that comes late
  root.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n");
  CHECK(now(thermals) == unknown);
  CHECK(since_start(thermals) == unknown);
  root.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
  CHECK(now(thermals) == Words{"under-voltage"});
  root.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n");
  CHECK(now(thermals) == unknown);
  CHECK(since_start(thermals) == Words{"under-voltage"});
}

TEST_CASE("where there is neither, /sys is not searched at each reading") {
  const TempFolder root;
  Thermals thermals(root.path(), std::chrono::hours(1));
  CHECK(now(thermals) == unknown);
  root.write(pi_4, "8\n");
  CHECK(now(thermals) == unknown);
}

TEST_CASE("get_throttled counts where there are both") {
  const TempFolder root;
  root.write("sys/class/hwmon/hwmon1/name", "rpi_volt\n");
  root.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
  root.write(pi_5, "8\n");
  Thermals thermals(root.path());
  CHECK(now(thermals) == Words{"soft temperature limit"});
}

TEST_CASE("the CPU's frequency is that of its fastest cores, in MHz") {
  const TempFolder root;
  CHECK_FALSE(Thermals(root.path()).read().cpu_mhz);
  CHECK_FALSE(Thermals(root.path()).read().cpu_max_mhz);
  const std::string policies = "sys/devices/system/cpu/cpufreq/";
  root.write(policies + "policy0/scaling_cur_freq", "600000\n");
  root.write(policies + "policy0/cpuinfo_max_freq", "1800000\n");
  Thermals thermals(root.path());
  CHECK(thermals.read().cpu_mhz == 600);
  CHECK(thermals.read().cpu_max_mhz == 1800);
  root.write(policies + "policy4/scaling_cur_freq", "1500500\n");
  root.write(policies + "policy4/cpuinfo_max_freq", "2400000\n");
  Thermals both(root.path());
  CHECK(both.read().cpu_mhz == 1500.5);
  CHECK(both.read().cpu_max_mhz == 2400);
  for (const char* broken : {"", "<unknown>\n", "0\n", "-5\n"}) {
    for (const char* policy : {"policy0", "policy4"})
      root.write(policies + policy + "/scaling_cur_freq", broken);
    CHECK_FALSE(both.read().cpu_mhz);
  }
}
