// What the device and one run of the program are called.
#pragma once

#include <string>

namespace glimpse {

/// A thing name as AWS IoT takes it, so that it is also one MQTT topic level: 1 to 128 of a-z A-Z 0-9 : _ -
/// Source: AWS IoT API reference, CreateThing, thingName.
[[nodiscard]] bool is_device_name(const std::string& name);

/// This host's name (what the lab calls `hostname`), "" where it cannot be read.
[[nodiscard]] std::string host_name();

/// The default device name: the host name, with what is_device_name() does not take turned into '-'.
[[nodiscard]] std::string default_device_name();

/// A random UUID (RFC 4122, version 4) that names one run of the program.
[[nodiscard]] std::string new_boot_id();

}  // namespace glimpse
