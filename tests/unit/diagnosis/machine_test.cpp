#include "diagnosis/machine.hpp"

#include "catch.hpp"
#include "core/utc.hpp"
#include "diagnosis/date.hpp"
#include "shown.hpp"
#include "temp_folder.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {

const std::string throttled = "sys/devices/platform/soc/soc:firmware/get_throttled";

std::vector<std::string> heat(const TempFolder& root) {
  std::vector<std::string> lines;
  for (const Check& check : check_heat(root.path())) lines.push_back(shown(check));
  return lines;
}

std::chrono::system_clock::time_point unix_time(long long seconds) {
  return std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
}

}  // namespace

TEST_CASE("The machine by name, as far as it has one") {
  const TempFolder root;
  CHECK_THAT(check_machine(root.path()).text, ContainsSubstring("Linux "));
  root.write("etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  root.write("sys/firmware/devicetree/base/model", std::string("Raspberry Pi 5 Model B Rev 1.0\0", 31));
  CHECK_THAT(shown(check_machine(root.path())),
             ContainsSubstring(
                 "ok machine: Raspberry Pi 5 Model B Rev 1.0, Debian GNU/Linux 12 (bookworm), Linux "));
}

TEST_CASE("Memory: enough, scarce, unknown") {
  const TempFolder root;
  CHECK(shown(check_memory(root.path())) == "ok memory: unknown: /proc/meminfo does not tell");
  root.write("proc/meminfo", "MemTotal:        1048576 kB\nMemFree:  1 kB\nMemAvailable:     307200 kB\n");
  CHECK(shown(check_memory(root.path())) == "ok memory: 300 of 1024 MiB available");
  root.write("proc/meminfo", "MemTotal:        1048576 kB\nMemAvailable:     307199 kB\n");
  CHECK_THAT(shown(check_memory(root.path())), ContainsSubstring("warn memory: 299 of 1024 MiB available"));
  root.write("proc/meminfo", "MemTotal: much\nMemAvailable: some\n");
  CHECK(state(check_memory(root.path())) == "ok");
}

TEST_CASE("Heat and power of a machine that tells nothing are unknown, which is no failure") {
  const TempFolder root;
  CHECK(heat(root) ==
        std::vector<std::string>{"ok temperature: unknown: this machine tells none of its CPU",
                                 "ok throttling: unknown: no firmware here tells of it",
                                 "ok power supply: unknown: nothing here tells of under-voltage"});
}

TEST_CASE("Heat and power of a Raspberry Pi") {
  const TempFolder root;
  root.write("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
  root.write("sys/class/thermal/thermal_zone0/temp", "61223\n");
  root.write(throttled, "0\n");
  CHECK(heat(root) == std::vector<std::string>{"ok temperature: 61.2 °C", "ok throttling: none",
                                               "ok power supply: no under-voltage"});
  root.write("sys/class/thermal/thermal_zone0/temp", "80000\n");
  root.write(throttled, "8\n");
  auto lines = heat(root);
  CHECK_THAT(lines[0], ContainsSubstring("warn temperature: 80.0 °C"));
  CHECK_THAT(lines[1],
             ContainsSubstring("warn throttling: the firmware says soft temperature limit at 80 °C | give"));
  CHECK(lines[2] == "ok power supply: no under-voltage");
  root.write(throttled, "5\n");
  lines = heat(root);
  CHECK_THAT(lines[1], ContainsSubstring("warn throttling: the firmware says under-voltage, throttled"));
  CHECK_THAT(lines[2], ContainsSubstring("warn power supply: under-voltage | use a 5 V 3 A supply"));
}

TEST_CASE("The clock: set and kept, set and not kept, not set") {
  const auto now = unix_time(4102444800);  // date -u -d @4102444800
  CHECK(shown(check_clock(now, true, true)) == "ok clock: 2100-01-01 00:00:00 UTC, synchronized");
  CHECK(shown(check_clock(now, {}, true)) ==
        "ok clock: 2100-01-01 00:00:00 UTC; unknown whether it is synchronized");
  CHECK_THAT(shown(check_clock(now, false, true)),
             ContainsSubstring("warn clock: 2100-01-01 00:00:00 UTC, not synchronized | sudo apt install"));
  const Check unset = check_clock(unix_time(60), true, true);
  CHECK(shown(unset) ==
        "fail clock: 1970-01-01 00:01:00 UTC, which is before this program was built: no certificate can be "
        "judged, so "
        "nothing is sent | sudo date -s 'YYYY-MM-DD HH:MM', and what keeps it right: sudo apt install "
        "systemd-timesyncd");
  CHECK(unset.code == ExitCode::unavailable);
  CHECK_THAT(shown(check_clock(unix_time(60), true, false)),
             ContainsSubstring(
                 "warn clock: 1970-01-01 00:01:00 UTC, which is before this program was built: records "
                 "carry a wrong time | sudo date"));
}

TEST_CASE("Threads leave a core free") {
  CHECK(shown(check_threads(0, 4)) == "ok threads: 3 threads for the network on 4 cores");
  CHECK(shown(check_threads(0, 1)) == "ok threads: 1 thread for the network on 1 core");
  CHECK(state(check_threads(3, 4)) == "ok");
  CHECK(shown(check_threads(4, 4)) ==
        "warn threads: 4 threads for the network on 4 cores: it will stall while anything else runs | leave "
        "one "
        "free: --threads 3");
}

TEST_CASE("Moments are told in UTC, and how far away they are") {
  const auto now = unix_time(1764547200);  // date -u -d @1764547200: 2025-12-01 00:00:00
  CHECK(utc(now) == "2025-12-01 00:00:00 UTC");
  CHECK(utc_and_days(now + 24h, now) == "2025-12-02 00:00:00 UTC (in 1 day)");
  CHECK(utc_and_days(now + 59h, now) == "2025-12-03 11:00:00 UTC (in 2 days)");
}
