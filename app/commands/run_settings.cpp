#include "commands/run_settings.hpp"

#include <spdlog/spdlog.h>

#include "core/error.hpp"
#include "core/state_folder.hpp"
#include "device/identity.hpp"
#include "view/web/listener.hpp"

namespace glimpse {
namespace {

Drain drain(const Settings::Outbox& outbox) {
  const bool is_fifo = outbox.drain == "fifo";
  if (!is_fifo && outbox.drain != "newest")
    throw Error(ExitCode::usage, "--drain \"" + outbox.drain + "\": expected newest or fifo");
  return is_fifo ? Drain::fifo : Drain::newest;
}

}  // namespace

void refuse_aws_without_broker(const Settings::Aws& aws) {
  if (aws.shadow || aws.jobs || !aws.basic_ingest.empty())
    throw Error(ExitCode::usage, "--shadow, --jobs and --basic-ingest need --broker mqtts://…");
}

BrokerSettings broker_settings(const Settings& settings, const std::string& device) {
  const Settings::Telemetry& telemetry = settings.telemetry;
  BrokerSettings broker;
  broker.uri = telemetry.broker;
  broker.credentials = {telemetry.ca, telemetry.cert, telemetry.key};
  broker.device = device;
  broker.insecure = telemetry.insecure;
  broker.proxy = telemetry.proxy;
  broker.basic_ingest = settings.aws.basic_ingest;
  broker.keep_alive = std::chrono::floor<std::chrono::seconds>(telemetry.keep_alive);
  return broker;
}

SourceOptions source_options(const Settings::Source& source, const std::stop_token& stop) {
  return {source.uri, camera_options(source.fps, source.size, source.flip), source.loop, stop};
}

void warn_of_what_is_in_vain(const Settings::Source& asked, const SourceInfo& source) {
  if (!is_camera(asked.uri) && (!asked.size.empty() || asked.flip != "none")) {
    spdlog::warn("--size and --flip are for cameras (csi, 0, /dev/video0): {} is taken as it is",
                 source.description);
  }
  if (asked.adapt && !source.live)
    spdlog::warn("--adapt is for live sources: {} waits, and none of its frames is left out",
                 source.description);
}

OutboxSettings outbox_settings(const Settings::Outbox& outbox, const std::string& device) {
  OutboxSettings made;
  made.drain = drain(outbox);
  made.file = state_folder(outbox.state) + "/outbox-" + device + ".db";
  made.max_bytes = static_cast<std::uint64_t>(outbox.max_mb) * 1'000'000;
  made.max_age = std::chrono::duration_cast<std::chrono::seconds>(outbox.max_age);
  made.sync = outbox.sync;
  return made;
}

std::string device_name(const Settings::Telemetry& telemetry) {
  if (telemetry.device.empty()) return default_device_name();
  if (!is_device_name(telemetry.device)) {
    throw Error(ExitCode::usage,
                "--device \"" + telemetry.device + "\": a thing name has 1 to 128 of a-z A-Z 0-9 : _ -");
  }
  return telemetry.device;
}

Settings checked(Settings settings) {
  const std::string device = device_name(settings.telemetry);
  (void)drain(settings.outbox);
  (void)source_options(settings.source, {});
  if (!settings.web.listen.empty()) (void)parse_web_address(settings.web.listen);
  if (settings.telemetry.broker.empty()) {
    refuse_aws_without_broker(settings.aws);
    return settings;
  }
  BrokerSettings broker = broker_settings(settings, device);
  broker.credentials = {};
  validate_broker(broker);
  return settings;
}

}  // namespace glimpse
