// A device without a camera: our outbox and our publisher, fed as fast as is asked. For counting what arrives
// of thousands of records, and for being killed. probe --broker URI --ca F --cert F --key F --device NAME
// --state DIR --records N --rate R [--outbox-mb N]
//       [--drain fifo] [--hold]
// Prints each record once it is committed. Ends when all is acknowledged, or on SIGTERM; with --hold only on
// SIGTERM.
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include "core/shutdown.hpp"
#include "core/waiting.hpp"
#include "device/identity.hpp"
#include "telemetry/publisher.hpp"
#include "view/lines_view.hpp"
#include "view/log.hpp"

using namespace glimpse;

namespace {

std::map<std::string, std::string> parse(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const bool has_value = i + 1 < argc && std::strncmp(argv[i + 1], "--", 2) != 0;
    options[name.substr(2)] = has_value ? argv[++i] : "";
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  auto given = parse(argc, argv);
  Shutdown shutdown;
  start_log();
  BrokerSettings broker;
  broker.uri = given["broker"];
  broker.credentials = {given["ca"], given["cert"], given["key"]};
  broker.device = given["device"];

  Output output([&] { shutdown.begin(); });
  JsonView shown(output);
  OutboxSettings settings;
  settings.file = given["state"] + "/outbox-" + broker.device + ".db";
  if (given.contains("outbox-mb")) settings.max_bytes = std::stoull(given["outbox-mb"]) * 1'000'000;
  settings.drain = given["drain"] == "fifo" ? Drain::fifo : Drain::newest;
  Outbox outbox(settings, &shown);
  const std::string boot = new_boot_id();
  Publisher publisher(broker, {"test", broker.device, boot, [] { return ModelIdentity{}; }}, outbox);

  const std::uint64_t records = std::stoull(given["records"]);
  const double rate = given.contains("rate") ? std::stod(given["rate"]) : 1e9;
  const auto start = Steady::now();
  Record record;
  record.hostname = "probe";
  record.device = broker.device;
  record.boot = boot;
  record.predictions.assign(10, {1, "a label of the usual length", 0.1});
  for (std::uint64_t seq = 1; seq <= records && !shutdown.token().stop_requested(); ++seq) {
    const auto due = start + std::chrono::duration_cast<Steady::duration>(
                                 std::chrono::duration<double>(static_cast<double>(seq - 1) / rate));
    if (due > Steady::now() && !sleep_until(shutdown.token(), due)) break;
    record.seq = seq;
    record.time_ms =
        std::max<std::int64_t>(record.time_ms + 1, std::chrono::duration_cast<std::chrono::milliseconds>(
                                                       std::chrono::system_clock::now().time_since_epoch())
                                                       .count());
    record.delivery = publisher.status();
    outbox.accept(record);
  }
  while (!shutdown.token().stop_requested() &&
         (given.contains("hold") || outbox.counts().pending > 0 || !outbox.flush(Steady::duration::zero()))) {
    (void)sleep_for(shutdown.token(), std::chrono::milliseconds(20));
  }
  outbox.flush(std::chrono::milliseconds(500));
  publisher.finish(std::chrono::milliseconds(500));
  return 0;
}
