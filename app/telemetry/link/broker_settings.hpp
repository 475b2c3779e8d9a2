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
  std::string proxy;        // http://[user:password@]host:port; empty: none, whatever the environment says
  std::chrono::seconds keep_alive{60};  // a half-open connection is noticed within 1.5 times this
  bool insecure = false;                // allow mqtt:// over a network
  std::string basic_ingest;  // the topic rule that gets the records, past AWS's broker; empty: none
};

struct Endpoint {
  bool tls = true;
  std::string host;  // a name or an address; IPv6 without brackets
  int port = 0;

  [[nodiscard]] bool is_address() const;   // IPv4 or IPv6
  [[nodiscard]] bool is_loopback() const;  // localhost, 127.0.0.0/8 or ::1
  [[nodiscard]] std::string text() const;  // host:port, IPv6 in brackets
};

/// A host name or address (IPv6 in brackets), then ":port" where there is one; otherwise `port` stays 0.
/// Throws std::invalid_argument that says what is wrong.
struct HostAndPort {
  std::string host;
  int port = 0;
};
[[nodiscard]] HostAndPort parse_host_and_port(const std::string& text);

/// Throws Error(usage) when `uri` is not mqtts://host[:port] or mqtt://host[:port].
[[nodiscard]] Endpoint parse_broker_uri(const std::string& uri);

inline constexpr std::chrono::seconds min_keep_alive{56}, max_keep_alive{1200};

/// The interval to give paho, so that an idle connection that has died is noticed within 1.5 times
/// `keep_alive`: paho 1.3.12 pings after its interval p and gives up 1.5 p later, and looks only every p/10
/// (5 s at most), up to a second late. For 56 s to 1200 s these are 30 s to 715 s; AWS IoT Core takes 30 s
/// to 1200 s.
[[nodiscard]] std::chrono::seconds ping_interval(std::chrono::seconds keep_alive);

/// "x-amzn-mqtt-ca" for mqtts:// on port 443, where AWS IoT Core tells MQTT from HTTPS by it; else "".
[[nodiscard]] std::string alpn_protocol(const Endpoint& endpoint);

/// Throws Error(usage) for a bad URI, proxy, device name or keep-alive and for mqtt:// over a network without
/// `insecure`, Error(credentials) as check_credentials() does.
void validate_broker(const BrokerSettings& settings);

/// glimpse/v1/<device>/telemetry, with Basic Ingest behind $aws/rules/<rule>/, and glimpse/v1/<device>/status
[[nodiscard]] std::string telemetry_topic(const BrokerSettings& settings);
[[nodiscard]] std::string status_topic(const std::string& device);

}  // namespace glimpse
