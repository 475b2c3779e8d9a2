// The way to the broker, step by step: files, name, port, TLS, login, permission to publish.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "diagnosis/examination.hpp"
#include "diagnosis/running.hpp"
#include "telemetry/link/broker_settings.hpp"
#include "telemetry/link/tcp_connect.hpp"
#include "telemetry/link/tls_check.hpp"

namespace glimpse {

/// Shorter than the link's own: somebody is waiting.
inline constexpr LinkLimits doctor_limits{std::chrono::seconds(5), std::chrono::seconds(4),
                                          std::chrono::seconds(4), std::chrono::seconds(6),
                                          std::chrono::seconds(6)};

[[nodiscard]] Check check_key_files(const Credentials& files, std::chrono::system_clock::time_point now);

/// Of the broker, or of the proxy on the way to it.
[[nodiscard]] Check check_name(const BrokerSettings& broker);

/// The broker's port; and where that is one of 8883 and 443, at which AWS and others listen for the same, the
/// other one.
[[nodiscard]] Checks check_ports(const BrokerSettings& broker, const LinkLimits& limits = doctor_limits);

/// `server`: who answered the handshake.
[[nodiscard]] Check judge_server(const TlsServer& server, const std::string& address,
                                 std::chrono::system_clock::time_point now);
[[nodiscard]] Check check_tls(const BrokerSettings& broker, const LinkLimits& limits = doctor_limits);

/// login and publish: as the device, for a moment, a message of QoS 1, not retained, on
/// glimpse/v1/<device>/doctor. `running` is asked just before: where a run is connected as the device nothing
/// is sent, as a broker ends the session of a client when another comes with its id. And again where the
/// session is lost: such a run may have come.
[[nodiscard]] Checks check_session(const BrokerSettings& broker,
                                   const std::function<std::optional<Running>()>& running,
                                   const LinkLimits& limits = doctor_limits);

[[nodiscard]] std::vector<Examination> link_examinations(
    const BrokerSettings& broker, const std::function<std::optional<Running>()>& running);

}  // namespace glimpse
