#include "device/system_status.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "catch.hpp"
#include "temp_folder.hpp"

using glimpse::peak_rss_mb;
using glimpse::SystemMeter;
using glimpse::SystemStatus;

TEST_CASE("CPU load counts as psutil does: idle and iowait are idle, guest time is inside user time") {
  const TempFolder root;
  //                        user nice system idle iowait irq softirq steal guest guest_nice
  root.write("proc/stat",
             "cpu  1000 100 500 8000 200 10 20 30 400 50\n"
             "cpu0 500 50 250 4000 100 5 10 15 200 25\n"
             "cpu1 500 50 250 4000 100 5 10 15 200 25\n"
             "intr 1 2 3\n");
  SystemMeter meter(root.path());
  // cpu:  user +40 nice +5 system +20 idle +100 iowait +30 irq +1 softirq +2 steal +2 = 200, of which 130
  // idle: 35 % cpu0: user +40 system +20 idle +40: 60 %. cpu1: nice +5 idle +60 iowait +30 irq +1 softirq +2
  // steal +2 = 100: 10 %
  root.write("proc/stat",
             "cpu  1040 105 520 8100 230 11 22 32 430 52\n"
             "cpu0 540 50 270 4040 100 5 10 15 230 25\n"
             "cpu1 500 55 250 4060 130 6 12 17 200 27\n"
             "intr 1 2 3\n");
  const SystemStatus status = meter.read();
  REQUIRE(status.cpu_percent);
  CHECK(*status.cpu_percent == Approx(35.0));
  REQUIRE(status.per_core);
  REQUIRE(status.per_core->size() == 2);
  CHECK((*status.per_core)[0] == Approx(60.0));
  CHECK((*status.per_core)[1] == Approx(10.0));
}

TEST_CASE("a counter that goes backwards did not move") {
  const TempFolder root;
  root.write("proc/stat", "cpu 1000 0 0 1000 500 0 0 0 0 0\n");
  SystemMeter meter(root.path());
  // iowait -100 (proc(5): it may decrease) counts as 0: busy 50 of 50 + 50.
  root.write("proc/stat", "cpu 1050 0 0 1050 400 0 0 0 0 0\n");
  CHECK(meter.read().cpu_percent.value_or(-1) == Approx(50.0));
  root.write("proc/stat", "cpu 0 0 0 0 0 0 0 0 0 0\n");
  CHECK(meter.read().cpu_percent.value_or(-1) == Approx(50.0));  // nothing passed: the last answer stands
}

TEST_CASE("within one clock tick the last answer stands, at first 0 as psutil says") {
  const TempFolder root;
  root.write("proc/stat", "cpu 100 0 0 100 0 0 0 0 0 0\n");
  SystemMeter meter(root.path());
  CHECK(meter.read().cpu_percent.value_or(-1) == 0);
  root.write("proc/stat", "cpu 130 0 0 110 0 0 0 0 0 0\n");
  CHECK(meter.read().cpu_percent.value_or(-1) == Approx(75.0));
  CHECK(meter.read().cpu_percent.value_or(-1) == Approx(75.0));
  CHECK_FALSE(meter.read().per_core);  // not said
}

TEST_CASE("an old kernel's four fields, and a core that goes away") {
  const TempFolder root;
  root.write("proc/stat", "cpu 100 0 0 100\ncpu0 50 0 0 50\ncpu1 50 0 0 50\n");
  SystemMeter meter(root.path());
  root.write("proc/stat", "cpu 110 0 0 130\ncpu0 60 0 0 80\n");
  const SystemStatus changed = meter.read();
  CHECK_FALSE(changed.cpu_percent);
  CHECK_FALSE(changed.per_core);
  root.write("proc/stat", "cpu 120 0 0 160\ncpu0 70 0 0 110\n");
  CHECK(meter.read().cpu_percent.value_or(-1) == Approx(25.0));
}

TEST_CASE("memory in use is total less available; resident memory is pages of this machine") {
  const TempFolder root;
  root.write("proc/meminfo",
             "MemTotal:        1024000 b\nMemFree:           10000 b\nMemAvailable:     512000 b\n");
  root.write("proc/self/statm", "90000 2560 1200 12 0 4000 0\n");
  const SystemStatus status = SystemMeter(root.path()).read();
  CHECK(status.memory_mb.value_or(-1) == Approx(500.0));
  CHECK(status.rss_mb.value_or(-1) == Approx(2560.0 * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1048576));
}

TEST_CASE("broken files are unknown values, never an exception") {
  const TempFolder root;
  for (const std::string text :
       {"", "\n", "cpu", "cpu a b c d", "cpu 1 2", "cpu0 1 2 3 4\n", "cpu 1 2 3 4\ncpu0 x",
        "MemTotal:\nMemAvailable: x", "MemTotal: 1 b\nMemAvailable: 2 b\n", "1 -2", "1",
        "cpu 99999999999999999999999 1 1 1\n"}) {
    for (const char* file : {"proc/stat", "proc/meminfo", "proc/self/statm"}) root.write(file, text);
    SystemMeter meter(root.path());
    const SystemStatus status = meter.read();
    CHECK_FALSE(status.cpu_percent);
    CHECK_FALSE(status.per_core);
    CHECK_FALSE(status.memory_mb);
    CHECK_FALSE(status.rss_mb);
  }
  std::filesystem::remove_all(root.path());
  CHECK_NOTHROW(SystemMeter(root.path()).read());
}

TEST_CASE("this machine: plausible values, and cheap enough for every record") {
  SystemMeter meter;
  SystemStatus status = meter.read();
  REQUIRE(status.cpu_percent);
  CHECK(*status.cpu_percent >= 0);
  CHECK(*status.cpu_percent <= 100);
  CHECK(status.memory_mb.value_or(0) > 10);
  CHECK(status.rss_mb.value_or(0) > 1);
  const auto start = std::chrono::steady_clock::now();
  constexpr int rounds = 200;
  for (int i = 0; i < rounds; ++i) status = meter.read();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  CHECK(passed.count() / rounds * 1e6 < 2000);  // us; some 50 us; a sanitizer and a busy machine multiply it
}

TEST_CASE("The peak of the memory in use is VmHWM, in MiB, and unknown without it") {
  const TempFolder root;
  CHECK_FALSE(peak_rss_mb(root.path()).has_value());
  root.write("proc/self/status", "Name:\tx\nVmRSS:\t   1024 kB\nVmHWM:\t  130048 kB\n");
  CHECK(peak_rss_mb(root.path()) == 127);
  CHECK(peak_rss_mb().value_or(0) > 1);
}
