#include "view/web/access.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace glimpse {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

/// "pi" of "pi:8080", "::1" of "[::1]:8080".
std::string without_port(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool is_ip(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

bool is_loopback_name(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  return host == "localhost" || host == "::1";
}

bool is_own_host(const AccessRules& rules, const std::string& header) {
  const std::string host = lower(without_port(header));
  if (host.empty()) return false;
  const bool is_open = rules.reach == Reach::open;
  return is_loopback_name(host) || (is_open && is_ip(host)) ||
         std::any_of(rules.names.begin(), rules.names.end(), [&](const std::string& name) {
           return !name.empty() && (host == lower(name) || (is_open && host == lower(name) + ".local"));
         });
}

/// Of "a=1; glimpse_8080=…".
std::string cookie_value(std::string_view cookies, const std::string& name) {
  while (!cookies.empty()) {
    std::string_view each = cookies.substr(0, cookies.find(';'));
    cookies.remove_prefix(std::min(cookies.size(), each.size() + 1));
    each.remove_prefix(std::min(each.size(), each.find_first_not_of(' ')));
    if (each.starts_with(name + "=")) return std::string(each.substr(name.size() + 1));
  }
  return "";
}

bool has_token(const AccessRules& rules, const Asking& asking) {
  constexpr std::string_view bearer = "Bearer ";
  const std::string& header = asking.authorization;
  return (header.starts_with(bearer) &&
          same_secret(std::string_view(header).substr(bearer.size()), rules.token)) ||
         same_secret(cookie_value(asking.cookies, rules.cookie), rules.token) ||
         same_secret(asking.token, rules.token);
}

}  // namespace

bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size() || a.empty()) return false;
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<unsigned char>(
        difference | (static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])));
  return difference == 0;
}

Verdict judge(const AccessRules& rules, const Asking& asking) {
  // Who has the token has it for this server, by whatever name it is called.
  if (rules.reach != Reach::token && !is_own_host(rules, asking.host)) return Verdict::foreign_host;
  if (!asking.origin.empty()) {
    const std::string origin = lower(asking.origin), host = lower(asking.host);
    if (origin != "http://" + host && origin != "https://" + host) return Verdict::foreign_origin;
  }
  if (rules.reach == Reach::token && asking.path != "/healthz" && !has_token(rules, asking))
    return Verdict::no_token;
  return Verdict::granted;
}

}  // namespace glimpse
