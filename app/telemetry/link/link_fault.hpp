// Why there is no link, in words for a person and as a kind for the program.
#pragma once

#include <string>

namespace glimpse {

enum class LinkProblem {
  name_lookup,    // DNS
  unreachable,    // nothing listens, no route
  timed_out,      // packets vanish, or the other side keeps silent
  proxy_login,    // the HTTP proxy wants a login, or not this one
  proxy_refused,  // it does not let us through, or is no HTTP proxy
  clock_not_set,  // this clock is older than the program: no certificate can be judged by it
  not_tls,        // something else answers on this port
  old_tls,        // offers nothing from TLS 1.2 on
  wrong_ca,       // the server's certificate is not signed by our CA
  self_signed,    // it vouches for itself
  wrong_host,     // it is for another name
  server_expired,
  server_not_yet_valid,
  certificate_missing,  // the server demands a client certificate and we have none
  certificate_refused,  // it does not take ours
  own_files,            // our CA, certificate or key file can no longer be loaded
  not_authorised,       // CONNACK 4, 5
  client_id_refused,    // CONNACK 2
  broker_refused,       // CONNACK 1, 3
  client_id_taken,      // another client came with our id, again and again
  publish_forbidden,    // the session ends whenever we publish on a certain topic
  lost,                 // there was a session and it broke
};

struct LinkFault {
  LinkProblem problem = LinkProblem::lost;
  std::string reason;  // one line: what is wrong, and what to do
};

/// True where waiting does not help and somebody must mend names, keys or certificates.
[[nodiscard]] constexpr bool is_credentials_fault(LinkProblem problem) {
  switch (problem) {
    case LinkProblem::proxy_login:
    case LinkProblem::wrong_ca:
    case LinkProblem::self_signed:
    case LinkProblem::wrong_host:
    case LinkProblem::server_expired:
    case LinkProblem::server_not_yet_valid:
    case LinkProblem::certificate_missing:
    case LinkProblem::certificate_refused:
    case LinkProblem::own_files:
    case LinkProblem::not_authorised:
    case LinkProblem::client_id_refused:
      return true;
    default:
      return false;
  }
}

}  // namespace glimpse
