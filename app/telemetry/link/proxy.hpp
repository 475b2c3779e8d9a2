// The way through an HTTP proxy: CONNECT (RFC 9110, 9.3.6) with a Basic login (RFC 7617).
#pragma once

#include <optional>
#include <string>

#include "telemetry/link/broker_settings.hpp"
#include "telemetry/link/link_fault.hpp"
#include "telemetry/link/sockets.hpp"

namespace glimpse {

struct Proxy {
  Endpoint address;
  std::string login;  // "Basic …" as the proxy takes it; empty: none. Never for a log

  [[nodiscard]] std::string text() const { return "the proxy at " + address.text(); }
};

/// Throws Error(usage) when `uri` is not http://[user:password@]host:port; user and password take %XX for
/// characters of their own meaning. The words of the error hold neither.
[[nodiscard]] Proxy parse_proxy_uri(const std::string& uri);

/// "Basic …" for `user:password`.
[[nodiscard]] std::string basic_login(const std::string& user_and_password);

/// Has the proxy at the other end of `fd` (non-blocking) connect us to `target`; nullopt: it has, and what
/// comes next is from there. Reads a response header of at most 8 KiB, and nothing behind it.
[[nodiscard]] std::optional<LinkFault> ask_proxy(int fd, const Proxy& proxy, const Endpoint& target,
                                                 const Patience& patience);

/// Adds to `header` what has come, up to the empty line that ends an HTTP header and nothing behind it. False
/// where no more will come: the other side hung up, or 8 KiB are full.
[[nodiscard]] bool read_header_bytes(int fd, std::string& header);
[[nodiscard]] bool is_whole_header(const std::string& header);

}  // namespace glimpse
