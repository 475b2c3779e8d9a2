#include "view/web/listener.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

constexpr int backlog = 64;

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

bool is_loopback(const sockaddr* address) {
  if (address->sa_family == AF_INET)
    return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr) >> 24 == 127;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

bool is_any(const std::string& host) {
  return host == "0.0.0.0" || host == "::";
}

std::string mend(int error) {
  if (error == EADDRINUSE) return "; another program has it (ss -ltnp), choose another port";
  if (error == EADDRNOTAVAIL) return "; 127.0.0.1 or one that `ip address` shows";
  if (error == EACCES) return "; a port from 1024 on needs no privilege";
  return "";
}

int port_of(int socket) {
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                           : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

}  // namespace

WebAddress parse_web_address(const std::string& text) {
  const auto refuse = [&] {
    throw Error(ExitCode::usage,
                "--web: expected an address such as 127.0.0.1:8080, got \"" + escape_control(text) + "\"");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) refuse();
  WebAddress address{text.substr(0, colon), text.substr(colon + 1)};
  std::string& host = address.host;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    refuse();  // an IPv6 address without brackets
  }
  const std::string& port = address.port;
  const bool digits = !port.empty() && port.size() <= 5 &&
                      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (host.empty() || host.find_first_of(std::string("/@[] \0", 6)) != std::string::npos || !digits ||
      std::stoi(port) > 65535)
    refuse();
  return address;
}

Listener listen_at(const std::string& text) {
  const WebAddress address = parse_web_address(text);
  const auto unavailable = [&](const std::string& why) {
    throw Error(ExitCode::unavailable, "--web: cannot listen at " + escape_control(text) + ": " + why);
  };
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found); error != 0)
    unavailable(std::string(gai_strerror(error)) + "; 127.0.0.1 or one that `ip address` shows");
  const Addresses addresses(found, &freeaddrinfo);
  const addrinfo* chosen = found;  // of a name's addresses that of IPv4, which every tool tries
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family == AF_INET && chosen->ai_family != AF_INET) chosen = each;
  }
  Listener listener;
  listener.socket =
      FileDescriptor(::socket(chosen->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int socket = listener.socket.get();
  const int on = 1;
  // Not SO_REUSEPORT: two programs would share the port, and each would have half of the viewers.
  if (socket < 0 || ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(socket, chosen->ai_addr, chosen->ai_addrlen) != 0 || ::listen(socket, backlog) != 0)
    unavailable(std::generic_category().message(errno) + mend(errno));
  listener.host = address.host;
  listener.port = port_of(socket);
  listener.loopback = is_loopback(chosen->ai_addr);
  return listener;
}

std::string url_of(const Listener& listener, const std::string& host_name) {
  std::string host = is_any(listener.host) && !host_name.empty() ? host_name : listener.host;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(listener.port) + "/";
}

}  // namespace glimpse
