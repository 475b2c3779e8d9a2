#include "telemetry/link/proxy.hpp"

#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <stdexcept>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

constexpr std::size_t max_header = 8 * 1024;

/// %XX into the byte it stands for. nullopt where a '%' stands for nothing, or for a control character.
std::optional<std::string> percent_decoded(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '%') {
      const char* const digits = text.data() + i + 1;
      if (i + 2 >= text.size()) return std::nullopt;
      const auto [end, error] = std::from_chars(digits, digits + 2, byte, 16);
      if (error != std::errc{} || end != digits + 2) return std::nullopt;
      i += 2;
    }
    if (byte < 0x20 || byte == 0x7f) return std::nullopt;
    plain += static_cast<char>(byte);
  }
  return plain;
}

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ExitCode::usage,
              "proxy: " + why + "; write http://host:port or http://user:password@host:port");
}

/// 200 from "HTTP/1.1 200 Connection established"; 0 where this is no HTTP.
int status_code(const std::string& header) {
  if (header.rfind("HTTP/1.", 0) != 0 || header.size() < 12 || header[8] != ' ') return 0;
  int code = 0;
  const auto [end, error] = std::from_chars(header.data() + 9, header.data() + 12, code);
  return error == std::errc{} && end == header.data() + 12 && code >= 100 ? code : 0;
}

LinkFault refusal(int code, const Proxy& proxy, const Endpoint& target) {
  switch (code) {
    case 407:
      if (proxy.login.empty())
        return {LinkProblem::proxy_login,
                proxy.text() + " wants a login; give it with --proxy http://user:password@host:port"};
      return {LinkProblem::proxy_login, proxy.text() +
                                            " does not take this user and password (or no Basic login); "
                                            "correct them in --proxy"};
    case 403:
    case 405:
      return {LinkProblem::proxy_refused, proxy.text() + " forbids the way to " + target.text() + " (HTTP " +
                                              std::to_string(code) +
                                              "); have it allowed there, or use port 443"};
    case 502:
    case 503:
    case 504:
      return {LinkProblem::proxy_refused, proxy.text() + " cannot reach " + target.text() + " (HTTP " +
                                              std::to_string(code) + "); check the broker's name and port"};
    default:
      return {LinkProblem::proxy_refused, proxy.text() + " does not connect us to " + target.text() +
                                              " (HTTP " + std::to_string(code) + "); see the proxy's log"};
  }
}

}  // namespace

std::string basic_login(const std::string& user_and_password) {
  std::string code(4 * ((user_and_password.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(code.data()),
                                     reinterpret_cast<const unsigned char*>(user_and_password.data()),
                                     static_cast<int>(user_and_password.size()));
  code.resize(static_cast<std::size_t>(length));
  return "Basic " + code;
}

Proxy parse_proxy_uri(const std::string& uri) {
  static constexpr std::string_view scheme = "http://";
  if (uri.rfind(scheme, 0) != 0) refuse("it does not start with http://");
  std::string rest = uri.substr(scheme.size());
  if (!rest.empty() && rest.back() == '/') rest.pop_back();
  Proxy proxy;
  proxy.address.tls = false;
  if (const auto at = rest.rfind('@'); at != std::string::npos) {
    const std::string login = rest.substr(0, at);
    const auto plain = percent_decoded(login);
    if (!plain || login.find_first_of("@/") != std::string::npos)
      refuse("in user and password a '%', '@' or '/' is written %25, %40 or %2F");
    if (login.find(':') == std::string::npos || login.front() == ':' || login.size() > 512)
      refuse("before the '@' stands no user:password");
    proxy.login = basic_login(*plain);
    rest = rest.substr(at + 1);
  }
  try {
    const HostAndPort target = parse_host_and_port(rest);
    proxy.address.host = target.host;
    proxy.address.port = target.port;
  } catch (const std::invalid_argument&) {
    // What is wrong may be a part of a password whose '@' was forgotten: not repeated.
    refuse("what stands for host and port is neither");
  }
  if (proxy.address.port == 0) refuse("it has no port");
  return proxy;
}

bool read_header_bytes(int fd, std::string& header) {
  // One byte at a time: what follows the header belongs to somebody else.
  for (char byte = 0; !is_whole_header(header); header += byte) {
    const ssize_t got = header.size() < max_header ? recv(fd, &byte, 1, MSG_DONTWAIT) : 0;
    if (got != 1) return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  }
  return true;
}

bool is_whole_header(const std::string& header) {
  return header.ends_with("\r\n\r\n") || header.ends_with("\n\n");
}

std::optional<LinkFault> ask_proxy(int fd, const Proxy& proxy, const Endpoint& target,
                                   const Patience& patience) {
  const std::string login = proxy.login.empty() ? "" : "Proxy-Authorization: " + proxy.login + "\r\n";
  const std::string request =
      "CONNECT " + target.text() + " HTTP/1.1\r\nHost: " + target.text() + "\r\n" + login + "\r\n";
  std::string header;
  if (write_all(fd, request, patience)) {
    while (read_header_bytes(fd, header) && !is_whole_header(header)) {
      if (!wait_for_socket(fd, POLLIN, patience)) break;
    }
  }
  const int code = status_code(header);
  if (is_whole_header(header) && code / 100 == 2) return std::nullopt;
  if (code >= 300) return refusal(code, proxy, target);
  if (patience.over())
    return LinkFault{LinkProblem::timed_out,
                     proxy.text() + " takes the connection but does not answer; check that it is one"};
  if (header.empty())
    return LinkFault{LinkProblem::proxy_refused,
                     proxy.text() + " hung up without an answer; check that it is one, and see its log"};
  return LinkFault{LinkProblem::proxy_refused,
                   proxy.text() + " does not answer as an HTTP proxy does; check its address and port"};
}

}  // namespace glimpse
