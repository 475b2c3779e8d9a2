// A TLS handshake of our own, which can say in plain words why it failed.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "telemetry/link/tcp_connect.hpp"

namespace glimpse {

/// Who answered: what the certificate says that the server showed, verified or not.
struct TlsServer {
  std::string subject, issuer;  // "CN=localhost"
  std::string protocol;         // "TLSv1.3"
  std::optional<std::chrono::system_clock::time_point> valid_until;
};

/// Shakes hands with the server, TLS 1.2 or newer, verifying chain and name and showing our certificate, and
/// hangs up; takes connector.limits().tls at most for it. nullopt: the way is free. With TLS 1.3 a server
/// judges our certificate only after the handshake, so this reads on for a moment (until the session ticket,
/// at most 0.5 s). Without endpoint.tls only the TCP connection is tried. `server`
/// is filled where the handshake succeeds; null: nobody asks.
[[nodiscard]] std::optional<LinkFault> check_way_to_broker(TcpConnector& connector, const Endpoint& endpoint,
                                                           const LoadedCredentials& credentials,
                                                           const Patience& whole,
                                                           TlsServer* server = nullptr);

/// TLS 1.2 suites with authenticated encryption. Older versions have none of them: a list of these is how to
/// forbid TLS 1.0 and 1.1 to a library that cannot set a minimum. TLS 1.3 has suites of its own.
inline constexpr const char* tls12_suites = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM";

}  // namespace glimpse
