#include "telemetry/link/tls_reason.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <string>

#include "core/text.hpp"
#include "core/utc.hpp"

namespace glimpse {
namespace {

constexpr int max_names = 8;  // of a certificate that is for another host

std::string date(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
  return utc(std::chrono::system_clock::from_time_t(timegm(&parts)));
}

std::string utc_now() {
  return utc(std::chrono::system_clock::now());
}

std::string quoted(const ASN1_STRING* text) {
  const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
  return "'" + escape_control({bytes, static_cast<std::size_t>(ASN1_STRING_length(text))}) + "'";
}

std::string address(const ASN1_OCTET_STRING* bytes) {
  char text[INET6_ADDRSTRLEN] = "?";
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET || ASN1_STRING_length(bytes) == 16) {
    inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof(text));
  }
  return std::string("'") + text + "'";
}

/// The names a certificate is for: its subjectAltName, else its common name.
std::string names_of(const X509* certificate) {
  struct FreeNames {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  };
  std::string list;
  const auto add = [&list](const std::string& name) { list += (list.empty() ? "" : ", ") + name; };
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count && i < max_names; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) add(quoted(name->d.dNSName));
    if (name->type == GEN_IPADD) add(address(name->d.iPAddress));
  }
  if (count > max_names) add("...");
  if (list.empty()) {
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) add(quoted(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  }
  return list.empty() ? "no name at all" : list;
}

std::string whose(int depth) {
  return depth == 0 ? "server's" : "certificate authority's";
}

}  // namespace

LinkFault verify_fault(X509_STORE_CTX* store, const TlsPeer& peer) {
  const int error = X509_STORE_CTX_get_error(store);
  const int depth = X509_STORE_CTX_get_error_depth(store);
  const X509* current = X509_STORE_CTX_get_current_cert(store);
  const std::string server = peer.endpoint.text();
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {LinkProblem::wrong_host,
              "the certificate of " + server + " is for another host: it names " +
                  names_of(X509_STORE_CTX_get0_cert(store)) + ", not '" + peer.endpoint.host +
                  "'; use a name it holds, or give the server a certificate for this one"};
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {LinkProblem::server_expired, "the " + whose(depth) + " certificate at " + server +
                                               " expired at " + date(X509_get0_notAfter(current)) +
                                               " (this clock says " + utc_now() +
                                               "); renew it, or set this clock"};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {LinkProblem::server_not_yet_valid,
              "the " + whose(depth) + " certificate at " + server + " is not valid before " +
                  date(X509_get0_notBefore(current)) + " (this clock says " + utc_now() +
                  "); set this clock, or wait"};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return {LinkProblem::self_signed,
              "the certificate of " + server +
                  " is self-signed: nobody but itself says that it is the broker; if you know it to be your "
                  "broker's own, give it with --ca"};
    default:
      break;
  }
  const std::string ca = peer.credentials.ca_file.empty()
                             ? "one of this system's authorities"
                             : "the authority in '" + escape_control(peer.credentials.ca_file) + "'";
  return {LinkProblem::wrong_ca, "the certificate of " + server + " is not signed by " + ca + " (" +
                                     X509_verify_cert_error_string(error) +
                                     "); give the broker's CA file with --ca"};
}

LinkFault alert_fault(unsigned long error, const TlsPeer& peer, bool after_handshake) {
  const std::string server = peer.endpoint.text();
  const bool showed_one = !peer.credentials.cert_file.empty();
  const LinkFault missing{LinkProblem::certificate_missing,
                          server + " demands a client certificate; give one with --cert and --key"};
  const auto refused = [&](const std::string& why) {
    return LinkFault{
        LinkProblem::certificate_refused,
        server + " refuses our certificate '" + escape_control(peer.credentials.cert_file) + "': " + why};
  };
  const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return missing;
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return refused(
          "it does not know the authority that signed it; use one that this broker's owner issued");
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return refused("it takes it for expired; renew it, or have the server's clock set");
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      return refused("it was revoked; have a new one issued");
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
      return showed_one ? refused("check that it is active and registered there") : missing;
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return {LinkProblem::old_tls, server + " speaks no TLS from version 1.2 on; update the broker"};
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
      return {LinkProblem::not_tls,
              server + " answers, but not in TLS; check that the port is the broker's mqtts port"};
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      // With TLS 1.2 this is also how a server says that it misses our certificate.
      if (!showed_one) return missing;
      break;
    default:
      break;
  }
  if (reason == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    if (after_handshake && showed_one)
      return refused("it hung up on seeing it; check that it is active and registered there");
    if (after_handshake) return missing;
    return {LinkProblem::not_tls,
            server + " hung up during the TLS handshake; check that the port is the broker's mqtts port"};
  }
  char words[160] = "";
  ERR_error_string_n(error, words, sizeof(words));
  return {LinkProblem::not_tls, "no TLS connection with " + server + " (" + escape_control(words) +
                                    "); check the broker's TLS settings"};
}

}  // namespace glimpse
