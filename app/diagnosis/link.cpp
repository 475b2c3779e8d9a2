#include "diagnosis/link.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <cstdio>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "diagnosis/date.hpp"
#include "diagnosis/failure.hpp"
#include "telemetry/link/proxy.hpp"

namespace glimpse {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::system_clock;

constexpr auto renew_before = std::chrono::days(30);
constexpr auto server_renews_before = std::chrono::days(14);  // many renew by themselves 30 days before
constexpr int mqtts_port = 8883, https_port = 443;

std::optional<Proxy> proxy_of(const BrokerSettings& broker) {
  if (broker.proxy.empty()) return std::nullopt;
  return parse_proxy_uri(broker.proxy);
}

std::string port_name(int port) {
  return "port " + std::to_string(port);
}

Endpoint name_to_look_up(const BrokerSettings& broker) {
  const auto proxy = proxy_of(broker);
  return proxy ? proxy->address : parse_broker_uri(broker.uri);
}

/// Nothing: it is open.
std::optional<LinkFault> try_port(const BrokerSettings& broker, const Endpoint& endpoint,
                                  const LinkLimits& limits) {
  TcpConnector connector(proxy_of(broker), limits);
  auto tried =
      connector.connect(endpoint, {{}, Steady::now() + limits.name_lookup + limits.tcp + limits.proxy});
  if (auto* fault = std::get_if<LinkFault>(&tried)) return std::move(*fault);
  return std::nullopt;
}

/// "192.0.2.7, 2001:db8::7"
std::string addresses(const addrinfo* list) {
  std::string text;
  std::set<std::string> seen;
  for (; list != nullptr; list = list->ai_next) {
    char address[INET6_ADDRSTRLEN] = "";
    if (getnameinfo(list->ai_addr, list->ai_addrlen, address, sizeof address, nullptr, 0, NI_NUMERICHOST) ==
            0 &&
        seen.insert(address).second)
      text += (text.empty() ? "" : ", ") + std::string(address);
  }
  return text;
}

}  // namespace

Check check_key_files(const Credentials& files, Clock::time_point now) {
  const char* const name = "key files";
  const std::string authority =
      files.ca_file.empty() ? "this system's authorities" : "the authority " + files.ca_file;
  try {
    const LoadedCredentials loaded(files);
    if (!loaded.expires()) return Check::ok(name, authority + "; no certificate of our own");
    loaded.refuse_expired();
    const std::string text = files.cert_file + " and its key, valid until " +
                             utc_and_days(*loaded.expires(), now) + "; " + authority;
    if (*loaded.expires() - now >= renew_before) return Check::ok(name, text);
    return Check::warn(name, text,
                       "have a new certificate issued, and put it in place: a run takes it by itself");
  } catch (const Error& error) {
    return failure(name, error);
  }
}

Check check_name(const BrokerSettings& broker) {
  const Endpoint target = name_to_look_up(broker);
  const std::string whose = target.host + (broker.proxy.empty() ? "" : " (the proxy)");
  if (target.is_address()) return Check::ok("dns", whose + " is an address: nothing to look up");
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(target.host.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    return Check::fail("dns", whose + " cannot be looked up: " + gai_strerror(error),
                       "correct it, or mend this machine's DNS: getent hosts " + target.host,
                       ExitCode::unavailable);
  }
  const std::string found = addresses(list);
  freeaddrinfo(list);
  return Check::ok("dns", whose + " is " + found);
}

Checks check_ports(const BrokerSettings& broker, const LinkLimits& limits) {
  const Endpoint asked = parse_broker_uri(broker.uri);
  const std::string way = broker.proxy.empty() ? "" : " through " + proxy_of(broker)->text();
  Checks checks;
  const auto fault = try_port(broker, asked, limits);
  checks.push_back(fault ? failure(port_name(asked.port), *fault)
                         : Check::ok(port_name(asked.port), asked.text() + " is open" + way));
  if (!asked.tls || (asked.port != mqtts_port && asked.port != https_port)) return checks;
  Endpoint other = asked;
  other.port = asked.port == mqtts_port ? https_port : mqtts_port;
  const bool is_open = !try_port(broker, other, limits);
  const std::string name = port_name(other.port);
  if (is_open && fault) {
    checks.push_back(Check::warn(name, other.text() + " is open" + way + ", unlike " + port_name(asked.port),
                                 "--broker mqtts://" + other.text()));
  } else if (is_open) {
    checks.push_back(Check::ok(name, other.text() + " is open, too" + way));
  } else {
    checks.push_back(Check::ok(name, "closed; not needed, the broker's is " + std::to_string(asked.port)));
  }
  return checks;
}

Check judge_server(const TlsServer& server, const std::string& address, Clock::time_point now) {
  const std::string text =
      server.protocol + " with " + address + ": " + server.subject + ", issued by " + server.issuer +
      (server.valid_until ? ", valid until " + utc_and_days(*server.valid_until, now) : "");
  if (!server.valid_until || *server.valid_until - now >= server_renews_before) return Check::ok("tls", text);
  return Check::warn("tls", text, "have the broker's owner renew its certificate");
}

Check check_tls(const BrokerSettings& broker, const LinkLimits& limits) {
  const Endpoint endpoint = parse_broker_uri(broker.uri);
  if (!endpoint.tls) return Check::ok("tls", "none: the broker is mqtt://");
  TcpConnector connector(proxy_of(broker), limits);
  TlsServer server;
  const auto fault = check_way_to_broker(
      connector, endpoint, LoadedCredentials(broker.credentials),
      {{}, Steady::now() + limits.name_lookup + limits.tcp + limits.proxy + limits.tls}, &server);
  return fault ? failure("tls", *fault) : judge_server(server, endpoint.text(), Clock::now());
}

std::vector<Examination> link_examinations(const BrokerSettings& broker,
                                           const std::function<std::optional<Running>()>& running) {
  const std::string port = port_name(parse_broker_uri(broker.uri).port);
  const bool tls = parse_broker_uri(broker.uri).tls;
  std::vector<Examination> examinations;
  if (tls)
    examinations.push_back({"key files", 10s,
                            [=] { return Checks{check_key_files(broker.credentials, Clock::now())}; },
                            ExitCode::credentials});
  // getaddrinfo() asks a nameserver that says nothing twice, for 5 s each: resolv.conf(5).
  examinations.push_back(
      {"dns",
       12s,
       [=] { return Checks{check_name(broker)}; },
       ExitCode::unavailable,
       {},
       "the nameserver says nothing; is the network up? cat /etc/resolv.conf; getent hosts " +
           name_to_look_up(broker).host});
  examinations.push_back({port, 30s, [=] { return check_ports(broker); }, ExitCode::unavailable, {"dns"}});
  examinations.push_back(
      {"tls", 20s, [=] { return Checks{check_tls(broker)}; }, ExitCode::unavailable, {"key files", port}});
  examinations.push_back(
      {"login", 45s, [=] { return check_session(broker, running); }, ExitCode::unavailable, {"tls"}});
  return examinations;
}

}  // namespace glimpse
