#include "diagnosis/machine.hpp"

#include <sys/timex.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <thread>

#include "core/utc.hpp"
#include "device/kernel_text.hpp"
#include "device/machine.hpp"
#include "device/thermals.hpp"
#include "device/throttle_notice.hpp"
#include "diagnosis/failure.hpp"
#include "inference/classifier.hpp"
#include "telemetry/link/wall_clock.hpp"

namespace glimpse {
namespace {

// From 80 degrees on a Raspberry Pi slows down, at 85 much. Source: Raspberry Pi documentation, Frequency
// management and thermal control.
constexpr double hot_c = 80;

std::optional<long long> meminfo_mb(const std::string& meminfo, std::string_view wanted) {
  for (std::string_view text = meminfo; !text.empty();) {
    std::string_view line = next_line(text);
    if (next_word(line) != wanted) continue;
    const auto kib = to_number(next_word(line));
    return kib ? std::optional(*kib / 1024) : std::nullopt;
  }
  return std::nullopt;
}

Check check_temperature(const HeatStatus& heat) {
  if (!heat.temperature_c) return Check::ok("temperature", "unknown: this machine tells none of its CPU");
  char text[32];
  std::snprintf(text, sizeof text, "%.1f °C", *heat.temperature_c);
  if (*heat.temperature_c < hot_c) return Check::ok("temperature", text);
  return Check::warn("temperature", std::string(text) + ": from 80 °C on a Raspberry Pi slows down",
                     "give the CPU a heatsink or a fan, or less to do (--adapt)");
}

Check check_throttling(const HeatStatus& heat) {
  if (!heat.throttled) return Check::ok("throttling", "unknown: no firmware here tells of it");
  const auto notice = ThrottleNotice().after(heat, Steady::now());
  if (!notice) return Check::ok("throttling", "none");
  const std::size_t remedy = notice->text.rfind(": ");
  return Check::warn("throttling", notice->text.substr(0, remedy), notice->text.substr(remedy + 2));
}

Check check_power(const HeatStatus& heat) {
  if (!heat.throttled) return Check::ok("power supply", "unknown: nothing here tells of under-voltage");
  const auto& words = *heat.throttled;
  if (std::find(words.begin(), words.end(), throttling::under_voltage) == words.end())
    return Check::ok("power supply", "no under-voltage");
  return Check::warn("power supply", "under-voltage",
                     "use a 5 V 3 A supply (Raspberry Pi 5: 5 V 5 A) and a short, thick cable");
}

}  // namespace

Check check_machine(const std::string& root) {
  const Machine machine = this_machine(root);
  std::string text = machine.board.value_or("");
  if (machine.system) text += (text.empty() ? "" : ", ") + *machine.system;
  return Check::ok("machine", (text.empty() ? "" : text + ", ") + machine.kernel);
}

std::optional<long long> available_mb(const std::string& root) {
  return meminfo_mb(read_text(root + "/proc/meminfo"), "MemAvailable:");
}

Check check_memory(const std::string& root) {
  const std::string meminfo = read_text(root + "/proc/meminfo");
  const auto available = available_mb(root), total = meminfo_mb(meminfo, "MemTotal:");
  if (!available || !total) return Check::ok("memory", "unknown: /proc/meminfo does not tell");
  const std::string text = std::to_string(*available) + " of " + std::to_string(*total) + " MiB available";
  if (*available >= scarce_mb) return Check::ok("memory", text);
  return Check::warn("memory", text + ": loading a network may take 300",
                     "end what takes most: ps -eo rss,pid,comm --sort=-rss | head");
}

Checks check_heat(const std::string& root) {
  const HeatStatus heat = Thermals(root).read();
  return {check_temperature(heat), check_throttling(heat), check_power(heat)};
}

std::optional<bool> clock_is_synchronized() {
  timex state{};
  const int clock = adjtimex(&state);
  if (clock < 0) return std::nullopt;
  return clock != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

Check check_clock(std::chrono::system_clock::time_point now, std::optional<bool> synchronized,
                  bool with_broker) {
  if (clock_fault(now)) {
    const std::string text = utc(now) + ", which is before this program was built: ";
    const char* const set =
        "sudo date -s 'YYYY-MM-DD HH:MM', and what keeps it right: sudo apt install systemd-timesyncd";
    if (with_broker)
      return Check::fail("clock", text + "no certificate can be judged, so nothing is sent", set,
                         ExitCode::unavailable);
    return Check::warn("clock", text + "records carry a wrong time", set);
  }
  const std::string time = utc(now);
  if (!synchronized) return Check::ok("clock", time + "; unknown whether it is synchronized");
  if (*synchronized) return Check::ok("clock", time + ", synchronized");
  return Check::warn("clock", time + ", not synchronized",
                     "sudo apt install systemd-timesyncd && sudo timedatectl set-ntp true");
}

Check check_threads(int asked, int cores) {
  const int threads = threads_to_use(asked, cores);
  const std::string text = std::to_string(threads) + (threads == 1 ? " thread" : " threads") +
                           " for the network on " + std::to_string(cores) + (cores == 1 ? " core" : " cores");
  if (threads < cores || cores == 1) return Check::ok("threads", text);
  return Check::warn("threads", text + ": it will stall while anything else runs",
                     "leave one free: --threads " + std::to_string(cores - 1));
}

std::vector<Examination> machine_examinations(int threads, bool with_broker) {
  using namespace std::chrono_literals;
  const auto one = [](auto check) { return [check] { return Checks{check()}; }; };
  return {
      {"machine", 5s, one([] { return check_machine(); })},
      {"memory", 5s, one([] { return check_memory(); })},
      {"temperature", 5s, [] { return check_heat(); }},
      {"clock", 5s, one([with_broker] {
         return check_clock(std::chrono::system_clock::now(), clock_is_synchronized(), with_broker);
       })},
      {"threads", 5s, one([threads] {
         return check_threads(threads, static_cast<int>(std::thread::hardware_concurrency()));
       })},
  };
}

}  // namespace glimpse
