// Many devices in one process, for fleet.py: each with an outbox, a publisher and a certificate of its own;
// no camera, no model. glimpse_fleet --broker URI --certs DIR --state DIR --first I --count N --of ALL --ramp
// S --interval S
// --records R. Device I is called fleet-I; DIR has ca.crt, devices/fleet-I.crt and .key. Each line on
// standard input lets it go one step further: connect (spread over the ramp), then make the records (device I
// at its own moment of the interval). Tells in lines of JSON when all are connected, made, acknowledged. Ends
// on SIGTERM.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <list>
#include <map>
#include <string>

#include "core/error.hpp"
#include "core/shutdown.hpp"
#include "core/unix_time.hpp"
#include "core/waiting.hpp"
#include "device/identity.hpp"
#include "telemetry/publisher.hpp"
#include "view/log.hpp"

using namespace glimpse;

namespace {

using Options = std::map<std::string, std::string>;
using Seconds = std::chrono::duration<double>;

constexpr auto look = std::chrono::milliseconds(50);  // at what others do
constexpr auto drain_limit =
    std::chrono::seconds(60);  // for the last records; what is left is told as pending

/// As large as those of the program: some 1.5 KB, ten predictions, two cores.
Record usual_record(const std::string& device, const std::string& boot) {
  Record record;
  record.hostname = device;
  record.device = device;
  record.boot = boot;
  record.model = {"demo", true, "onednn", std::string(64, 'a')};
  record.capture_fps = record.inference_fps = 29.8;
  record.frame_index = 0;
  record.frame_age_ms = 9.1;
  record.preprocess_ms = 0.3;
  record.inference_ms = Percentiles{3.0, 3.2, 4.1};
  for (int i = 0; i < 10; ++i) record.predictions.push_back({i, "umbrella", 0.093125});
  record.system.cpu_percent = 12.5;
  record.system.per_core = {10.0, 15.0};
  record.system.memory_mb = 412.0;
  record.system.rss_mb = 160.0;
  return record;
}

class Device {
 public:
  Device(const Options& given, const std::string& name)
      : record_(usual_record(name, boot_)),
        outbox_(outbox_settings(given, name), nullptr),
        publisher_(broker_settings(given, name), {"fleet", name, boot_, [this] { return record_.model; }},
                   outbox_) {}

  void make_record() {
    ++record_.seq;
    record_.frame_index = record_.frames_seen = 30 * record_.seq;
    record_.time_ms = std::max(record_.time_ms + 1, unix_ms());
    record_.delivery = publisher_.status();
    outbox_.accept(record_);
  }
  [[nodiscard]] std::uint64_t made() const { return record_.seq; }
  [[nodiscard]] PublisherStatus status() const { return publisher_.status(); }
  [[nodiscard]] bool all_acknowledged() {
    return outbox_.flush(Steady::duration::zero()) && outbox_.counts().pending == 0;
  }

 private:
  static OutboxSettings outbox_settings(const Options& given, const std::string& name) {
    OutboxSettings settings;
    settings.file = given.at("state") + "/outbox-" + name + ".db";
    return settings;
  }
  static BrokerSettings broker_settings(const Options& given, const std::string& name) {
    BrokerSettings settings;
    const std::string certs = given.at("certs"), own = certs + "/devices/" + name;
    settings.uri = given.at("broker");
    settings.credentials = {certs + "/ca.crt", own + ".crt", own + ".key"};
    settings.device = name;
    validate_broker(settings);
    return settings;
  }

  const std::string boot_ = new_boot_id();
  Record record_;
  Outbox outbox_;
  Publisher publisher_;
};

void say(const std::string& json) {
  std::cout << json << std::endl;
}

/// Of device `index`, one of `all`: its share of `whole`, so that they come evenly.
Steady::duration moment(double index, double all, Seconds whole) {
  return std::chrono::duration_cast<Steady::duration>(whole * (index / all));
}

bool next_step() {
  std::string line;
  return static_cast<bool>(std::getline(std::cin, line));
}

/// What fleet.py adds up. One entry of `made` for each device.
std::string summary(const std::list<Device>& devices) {
  std::string made;
  std::uint64_t acknowledged = 0, pending = 0, dropped = 0, resent = 0;
  for (const Device& device : devices) {
    const PublisherStatus status = device.status();
    made += (made.empty() ? "" : ", ") + std::to_string(device.made());
    acknowledged += status.acknowledged;
    pending += status.pending;
    dropped += status.dropped;
    resent += status.resent;
  }
  return "{\"made\": [" + made + "], \"acknowledged\": " + std::to_string(acknowledged) +
         ", \"pending\": " + std::to_string(pending) + ", \"dropped\": " + std::to_string(dropped) +
         ", \"resent\": " + std::to_string(resent) + "}";
}

void play(const Options& given, const std::stop_token& stop) {
  const double first = std::stod(given.at("first")), all = std::stod(given.at("of"));
  const Seconds ramp(std::stod(given.at("ramp"))), interval(std::stod(given.at("interval")));
  const auto count = std::stoul(given.at("count")), records = std::stoul(given.at("records"));
  std::list<Device> devices;  // they cannot be moved

  if (!next_step()) return;
  auto began = Steady::now();
  for (std::size_t i = 0; i < count; ++i) {
    if (!sleep_until(stop, began + moment(first + static_cast<double>(i), all, ramp))) return;
    devices.emplace_back(given, "fleet-" + std::to_string(static_cast<std::size_t>(first) + i));
  }
  const auto is_connected = [](const Device& it) { return it.status().link == LinkState::connected; };
  while (!std::all_of(devices.begin(), devices.end(), is_connected)) {
    if (!sleep_for(stop, look)) return;
  }
  say("{\"connected\": " + std::to_string(devices.size()) + "}");

  if (!next_step()) return;
  began = Steady::now();
  for (std::size_t round = 0; round < records; ++round) {
    double index = first;
    for (Device& device : devices) {
      const auto due = began + moment(static_cast<double>(round) * all + index++, all, interval);
      if (!sleep_until(stop, due)) return;
      device.make_record();
    }
  }
  say("{\"made\": " + std::to_string(records * count) + "}");

  const auto is_done = [](Device& it) { return it.all_acknowledged(); };
  const auto deadline = Steady::now() + drain_limit;
  while (!std::all_of(devices.begin(), devices.end(), is_done) && Steady::now() < deadline) {
    if (!sleep_for(stop, look)) return;
  }
  say(summary(devices));
  (void)next_step();
}

}  // namespace

int main(int argc, char** argv) {
  Options given;
  for (int i = 1; i + 1 < argc; i += 2) given[argv[i] + std::strlen("--")] = argv[i + 1];
  Shutdown shutdown;
  start_log();
  spdlog::set_level(spdlog::level::warn);  // "connected" a thousand times says nothing
  try {
    play(given, shutdown.token());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "glimpse_fleet: %s\n", error.what());
    return static_cast<int>(ExitCode::internal);
  }
}
