// The device's name and keys, checked before anything is sent.
#pragma once

#include <string>

namespace glimpse {

/// Paths of PEM files. All empty where TLS is not used; cert and key go together.
struct Credentials {
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
};

/// Throws Error(credentials), naming the file and the command that mends it, when a file is missing or is not PEM, the
/// key is readable by others (mode beyond 0600) or of another owner (not us, not root), cert and key do not belong together, only one of the
/// two is given, or the certificate has expired.
void check_credentials(const Credentials& credentials);

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
