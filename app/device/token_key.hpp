// A private key that never leaves its token (HSM, TPM, smart card), named by a PKCS#11 URI (RFC 7512).
#pragma once

#include <string>

#include "device/pem.hpp"

namespace glimpse {

/// Starts with "pkcs11:".
[[nodiscard]] bool is_token_uri(const std::string& key);

/// The URI without its query, where a PIN may stand: what messages may show.
[[nodiscard]] std::string without_pin(const std::string& uri);

/// The file in the URI's pin-source, "" where it has none.
[[nodiscard]] std::string pin_file(const std::string& uri);

/// A PEM that OpenSSL's pkcs11 provider takes in the place of a private key: the way for a library that reads
/// keys from files alone. Loads the provider where openssl.cnf does not. The PIN is read from pin-source, as
/// read_private_file() does. Throws Error(credentials).
/// Source: provider-pkcs11(7), "USE IN OLDER APPLICATIONS (URIs in PEM files)"; its src/asn1.c.
[[nodiscard]] Secret reference_pem(const std::string& uri);

/// The key that the reference stands for. Throws Error(credentials) where the token does not show it or wants
/// a PIN.
[[nodiscard]] Key find_token_key(const std::string& uri, const Secret& reference);

}  // namespace glimpse
