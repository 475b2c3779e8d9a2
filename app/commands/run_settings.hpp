// What each part of a run takes, from the settings of all. Throws Error(usage) for what no part could take.
#pragma once

#include <stop_token>
#include <string>

#include "capture/video_source.hpp"
#include "config/settings.hpp"
#include "telemetry/link/broker_settings.hpp"
#include "telemetry/outbox/outbox.hpp"

namespace glimpse {

[[nodiscard]] std::string device_name(const Settings::Telemetry& telemetry);
[[nodiscard]] BrokerSettings broker_settings(const Settings& settings, const std::string& device);
/// Throws where something is asked of AWS that there is no way to.
void refuse_aws_without_broker(const Settings::Aws& aws);
/// One file for each device name: records belong to the name they were made under.
[[nodiscard]] OutboxSettings outbox_settings(const Settings::Outbox& outbox, const std::string& device);
[[nodiscard]] SourceOptions source_options(const Settings::Source& source, const std::stop_token& stop);

/// Said and not refused: a device's configuration can be tried on a clip.
void warn_of_what_is_in_vain(const Settings::Source& asked, const SourceInfo& source);

/// Throws Error where a run with these settings would not start. What lies outside them (camera, model, key)
/// is not looked at: it is in use as it was.
[[nodiscard]] Settings checked(Settings settings);

}  // namespace glimpse
