#include "telemetry/link/tls_check.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <cerrno>
#include <ctime>
#include <memory>
#include <system_error>

#include "core/text.hpp"
#include "telemetry/link/tls_reason.hpp"

namespace glimpse {
namespace {

using namespace std::chrono_literals;

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

/// What OpenSSL's callbacks learn during one handshake.
struct Observed {
  std::optional<LinkFault> verify_fault;
  bool ticket = false;
  const TlsPeer* peer = nullptr;
};

Observed* observed_by(const SSL* ssl) {
  return static_cast<Observed*>(SSL_get_app_data(ssl));
}

int on_verify(int ok, X509_STORE_CTX* store) {
  if (ok == 1) return 1;
  const auto* ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Observed* observed = observed_by(ssl);
  observed->verify_fault = verify_fault(store, *observed->peer);
  return 0;
}

int on_ticket(SSL* ssl, SSL_SESSION*) {
  observed_by(ssl)->ticket = true;
  return 0;  // the session stays OpenSSL's
}

std::optional<LinkFault> load(SSL_CTX* context, const LoadedCredentials& loaded) {
  const auto unusable = [](const std::string& file) {
    return LinkFault{LinkProblem::own_files,
                     "OpenSSL cannot use '" + escape_control(file) +
                         "'; check that it is complete, and that a key's token is there"};
  };
  const std::string ca = loaded.ca_path(), cert = loaded.cert_path(), key = loaded.key_path();
  if (ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_locations(context, ca.c_str(), nullptr) != 1) {
    return unusable(loaded.names().ca_file);
  }
  if (!cert.empty() && SSL_CTX_use_certificate_chain_file(context, cert.c_str()) != 1) {
    return unusable(loaded.names().cert_file);
  }
  if (!key.empty() && SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return unusable(loaded.names().key_file);
  }
  return std::nullopt;
}

void offer_protocol(SSL* ssl, const std::string& name) {
  if (name.empty()) return;
  const std::string list = static_cast<char>(name.size()) + name;
  // 0 is success here, and a failure is want of memory alone.
  (void)SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned>(list.size()));
}

void expect_name(SSL* ssl, const Endpoint& endpoint) {
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl);
  if (endpoint.is_address()) {
    X509_VERIFY_PARAM_set1_ip_asc(rules, endpoint.host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(rules, endpoint.host.c_str(), endpoint.host.size());
    // The macro's cast is the C header's own.
    SSL_set_tlsext_host_name(ssl, endpoint.host.c_str());
  }
}

enum class Step { done, waited_in_vain, failed };

/// Runs `operation` (SSL_connect, SSL_read) until it is done, fails, or patience is over. `error` is
/// SSL_get_error's.
template <typename Operation>
Step drive(SSL* ssl, const Patience& patience, int& error, Operation operation) {
  while (true) {
    ERR_clear_error();
    errno = 0;
    const int result = operation();
    if (result > 0) return Step::done;
    error = SSL_get_error(ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return Step::failed;
    if (!wait_for_socket(SSL_get_fd(ssl), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, patience)) {
      return Step::waited_in_vain;
    }
  }
}

/// After a TLS 1.3 handshake: an alert means our certificate was not liked, a ticket that it was.
std::optional<LinkFault> await_verdict(SSL* ssl, const Observed& observed, const TlsPeer& peer,
                                       Patience patience) {
  patience.deadline = std::min(patience.deadline, Steady::now() + 500ms);
  char byte = 0;
  int error = 0;
  const auto read = [&] { return observed.ticket ? 1 : SSL_read(ssl, &byte, 1); };
  if (drive(ssl, patience, error, read) != Step::failed || observed.ticket) return std::nullopt;
  return alert_fault(ERR_peek_last_error(), peer, true);
}

/// "O=Amazon, CN=Amazon RSA 2048 M01"
std::string name_of(const X509_NAME* name) {
  constexpr unsigned long one_line = ASN1_STRFLGS_RFC2253 | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN;
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), &BIO_free);
  if (!text || X509_NAME_print_ex(text.get(), name, 0, one_line) < 0) return "?";
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return escape_control({bytes, static_cast<std::size_t>(size)});
}

TlsServer describe(const SSL* ssl) {
  TlsServer server;
  server.protocol = SSL_get_version(ssl);
  const X509* const shown = SSL_get0_peer_certificate(ssl);
  if (shown == nullptr) return server;
  server.subject = name_of(X509_get_subject_name(shown));
  server.issuer = name_of(X509_get_issuer_name(shown));
  tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(shown), &end) == 1)
    server.valid_until = std::chrono::system_clock::from_time_t(timegm(&end));
  return server;
}

}  // namespace

std::optional<LinkFault> check_way_to_broker(TcpConnector& connector, const Endpoint& endpoint,
                                             const LoadedCredentials& credentials, const Patience& whole,
                                             TlsServer* server) {
  auto tried = connector.connect(endpoint, whole);
  if (auto* fault = std::get_if<LinkFault>(&tried)) return *fault;
  if (!endpoint.tls) return std::nullopt;
  const FileDescriptor socket = std::move(std::get<FileDescriptor>(tried));

  const std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_client_method()));
  if (!context) return LinkFault{LinkProblem::own_files, "OpenSSL cannot start; reinstall libssl"};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context.get(), tls12_suites);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, on_verify);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), on_ticket);
  if (auto fault = load(context.get(), credentials)) return fault;

  const TlsPeer peer{endpoint, credentials.names()};
  Observed observed;
  observed.peer = &peer;
  const std::unique_ptr<SSL, Free> ssl(SSL_new(context.get()));
  if (!ssl) return LinkFault{LinkProblem::own_files, "OpenSSL cannot start; reinstall libssl"};
  SSL_set_app_data(ssl.get(), &observed);
  SSL_set_fd(ssl.get(), socket.get());
  expect_name(ssl.get(), endpoint);
  offer_protocol(ssl.get(), alpn_protocol(endpoint));

  const Patience patience = whole.at_most(connector.limits().tls);
  int error = 0;
  switch (drive(ssl.get(), patience, error, [&] { return SSL_connect(ssl.get()); })) {
    case Step::waited_in_vain:
      return LinkFault{LinkProblem::timed_out,
                       endpoint.text() +
                           " takes the connection but does not answer in TLS; check that the "
                           "port is the broker's mqtts port"};
    case Step::failed:
      if (observed.verify_fault) return observed.verify_fault;
      return alert_fault(ERR_peek_last_error(), peer, false);
    case Step::done:
      break;
  }
  if (server != nullptr) *server = describe(ssl.get());
  if (SSL_version(ssl.get()) < TLS1_3_VERSION) return std::nullopt;
  return await_verdict(ssl.get(), observed, peer, patience);
}

}  // namespace glimpse
