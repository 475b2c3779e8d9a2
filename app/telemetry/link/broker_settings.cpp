#include "telemetry/link/broker_settings.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>

#include "core/error.hpp"
#include "core/text.hpp"
#include "device/identity.hpp"
#include "telemetry/link/proxy.hpp"

namespace glimpse {
namespace {

[[noreturn]] void refuse_uri(const std::string& uri, const std::string& why) {
  throw Error(ExitCode::usage,
              "broker '" + escape_control(uri) + "': " + why +
                  "; write mqtts://host or mqtts://host:port (mqtt:// for this machine alone)");
}

/// inet_pton() looks no further than a NUL, which a JSON text may hold.
bool has_nul(const std::string& host) {
  return host.find('\0') != std::string::npos;
}

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return !has_nul(host) && inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return !has_nul(host) && inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

/// Letters, digits, '-', '_' and '.', not starting with '-' or '.': what DNS and certificates hold.
bool is_host_name(const std::string& host) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !host.empty() && host.size() <= 253 && host.front() != '-' && host.front() != '.' &&
         std::all_of(host.begin(), host.end(), allowed);
}

std::optional<int> parse_port(const std::string& text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65535)
    return std::nullopt;
  return port;
}

/// Source: AWS IoT API reference, CreateTopicRule, ruleName.
bool is_rule_name(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return name.size() <= 128 && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

bool Endpoint::is_address() const {
  return is_ipv4(host) || is_ipv6(host);
}

bool Endpoint::is_loopback() const {
  return host == "localhost" || host == "::1" || (is_ipv4(host) && host.rfind("127.", 0) == 0);
}

std::string Endpoint::text() const {
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

HostAndPort parse_host_and_port(const std::string& text) {
  HostAndPort target;
  std::string rest;
  if (!text.empty() && text.front() == '[') {
    const auto close = text.find(']');
    target.host = text.substr(1, close == std::string::npos ? close : close - 1);
    if (close == std::string::npos || !is_ipv6(target.host))
      throw std::invalid_argument("no IPv6 address stands in the brackets");
    rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':')
      throw std::invalid_argument("only a port may follow the address");
  } else {
    const auto colon = text.find(':');
    target.host = text.substr(0, colon);
    if (colon != std::string::npos) rest = text.substr(colon);
    if (!is_host_name(target.host))
      throw std::invalid_argument("'" + escape_control(target.host) + "' is no host name");
  }
  if (rest.empty()) return target;
  const auto port = parse_port(rest.substr(1));
  if (!port)
    throw std::invalid_argument("'" + escape_control(rest.substr(1)) + "' is no port from 1 to 65535");
  target.port = *port;
  return target;
}

Endpoint parse_broker_uri(const std::string& uri) {
  static constexpr std::string_view secure = "mqtts://", plain = "mqtt://";
  Endpoint endpoint;
  std::string rest;
  if (uri.rfind(secure, 0) == 0) {
    endpoint.port = 8883;
    rest = uri.substr(secure.size());
  } else if (uri.rfind(plain, 0) == 0) {
    endpoint.tls = false;
    endpoint.port = 1883;
    rest = uri.substr(plain.size());
  } else {
    refuse_uri(uri, "it starts with neither mqtts:// nor mqtt://");
  }
  try {
    const HostAndPort target = parse_host_and_port(rest);
    endpoint.host = target.host;
    if (target.port != 0) endpoint.port = target.port;
  } catch (const std::invalid_argument& error) {
    refuse_uri(uri, error.what());
  }
  return endpoint;
}

void validate_broker(const BrokerSettings& settings) {
  const Endpoint endpoint = parse_broker_uri(settings.uri);
  if (!is_device_name(settings.device)) {
    throw Error(ExitCode::usage,
                "device name '" + escape_control(settings.device) +
                    "': it takes 1 to 128 of the characters a-z A-Z 0-9 : _ - (it becomes a topic "
                    "level and a thing name); give another one with --device");
  }
  if (!settings.basic_ingest.empty() && !is_rule_name(settings.basic_ingest)) {
    throw Error(ExitCode::usage, "--basic-ingest '" + escape_control(settings.basic_ingest) +
                                     "': the name of a topic rule has 1 to 128 of a-z A-Z 0-9 _");
  }
  bool stays_here = endpoint.is_loopback();
  if (!settings.proxy.empty()) stays_here = parse_proxy_uri(settings.proxy).address.is_loopback();
  if (!endpoint.tls && !stays_here && !settings.insecure) {
    throw Error(ExitCode::usage,
                "broker '" + settings.uri +
                    "': mqtt:// sends everything in the clear and goes to this machine alone; use "
                    "mqtts://, or --insecure if you mean it");
  }
  if (settings.keep_alive < min_keep_alive || settings.keep_alive > max_keep_alive) {
    throw Error(ExitCode::usage,
                "keep-alive of " + std::to_string(settings.keep_alive.count()) + " s: it takes 56 to 1200 s");
  }
  if (endpoint.tls) check_credentials(settings.credentials);
}

std::chrono::seconds ping_interval(std::chrono::seconds keep_alive) {
  const double limit = 1.5 * static_cast<double>(keep_alive.count());
  // Worst case 2.5 p + 2 (min(p / 10, 5) + 1) <= limit, solved for p.
  const double p = std::max((limit - 2) / 2.7, (limit - 12) / 2.5);
  return std::chrono::seconds(static_cast<int>(p));
}

std::string alpn_protocol(const Endpoint& endpoint) {
  return endpoint.tls && endpoint.port == 443 ? "x-amzn-mqtt-ca" : "";
}

std::string telemetry_topic(const BrokerSettings& settings) {
  const std::string topic = "glimpse/v1/" + settings.device + "/telemetry";
  return settings.basic_ingest.empty() ? topic : "$aws/rules/" + settings.basic_ingest + "/" + topic;
}
std::string status_topic(const std::string& device) {
  return "glimpse/v1/" + device + "/status";
}

}  // namespace glimpse
