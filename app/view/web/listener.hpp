// The address that the page is served at.
#pragma once

#include <string>

#include "core/file_descriptor.hpp"

namespace glimpse {

struct WebAddress {
  std::string host;  // as it was given, without brackets
  std::string port;
};

/// "127.0.0.1:8080", "[::1]:8080", "pi:8080". Throws Error(usage).
[[nodiscard]] WebAddress parse_web_address(const std::string& text);

/// A socket that listens there. Connections wait in it until somebody takes them.
struct Listener {
  FileDescriptor socket;
  std::string host;       // as it was given
  int port = 0;           // the one it has, where 0 was asked for
  bool loopback = false;  // only this machine reaches it
};

/// Throws Error(usage) for no address at all, and Error(unavailable) where the port is taken, the address is
/// not this machine's, or it may not be used.
[[nodiscard]] Listener listen_at(const std::string& text);

/// "http://127.0.0.1:8080/", with the host's name where it listens at every address.
[[nodiscard]] std::string url_of(const Listener& listener, const std::string& host_name);

}  // namespace glimpse
