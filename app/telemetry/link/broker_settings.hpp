// Which broker, as whom: settings, checked before anything is sent.
#pragma once

#include <chrono>
#include <string>

#include "device/credentials.hpp"

namespace glimpse {

struct BrokerSettings {
  std::string uri;          // mqtts://host[:8883], or mqtt://host[:1883] (loopback alone unless `insecure`)
  Credentials credentials;  // no ca_file: the system's certificate authorities
  std::string device;       // thing name; also the MQTT client id
  std::chrono::seconds keep_alive{60};  // 30 s to 1200 s, as AWS IoT Core takes it
  bool insecure = false;                // allow mqtt:// over a network
};

struct Endpoint {
  bool tls = true;
  std::string host;  // a name or an address; IPv6 without brackets
  int port = 0;

  [[nodiscard]] bool is_address() const;   // IPv4 or IPv6
  [[nodiscard]] bool is_loopback() const;  // localhost, 127.0.0.0/8 or ::1
  [[nodiscard]] std::string text() const;  // host:port, IPv6 in brackets
};

/// Throws Error(usage) when `uri` is not mqtts://host[:port] or mqtt://host[:port].
[[nodiscard]] Endpoint parse_broker_uri(const std::string& uri);

/// Throws Error(usage) for a bad URI, device name or keep-alive and for mqtt:// over a network without
/// `insecure`, Error(credentials) as check_credentials() does.
void validate_broker(const BrokerSettings& settings);

/// glimpse/v1/<device>/telemetry and glimpse/v1/<device>/status
[[nodiscard]] std::string telemetry_topic(const std::string& device);
[[nodiscard]] std::string status_topic(const std::string& device);

}  // namespace glimpse
