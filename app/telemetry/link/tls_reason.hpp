// OpenSSL's errors in plain words. For tls_check.cpp alone: OpenSSL's types stay there.
#pragma once

#include <openssl/x509_vfy.h>

#include "telemetry/link/broker_settings.hpp"
#include "telemetry/link/link_fault.hpp"

namespace glimpse {

struct TlsPeer {
  const Endpoint& endpoint;
  const Credentials& credentials;  // what we showed, or did not
};

/// Why the server's certificate was not accepted: called inside a failed verification.
[[nodiscard]] LinkFault verify_fault(X509_STORE_CTX* store, const TlsPeer& peer);

/// Why the handshake broke otherwise. `error` is from OpenSSL's error queue, 0 where the connection just
/// closed; `after_handshake`: in TLS 1.3, while waiting for the verdict on our certificate.
[[nodiscard]] LinkFault alert_fault(unsigned long error, const TlsPeer& peer, bool after_handshake);

}  // namespace glimpse
