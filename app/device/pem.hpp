// What PEM files hold, as OpenSSL's own types. For this folder alone.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "device/checked_file.hpp"

namespace glimpse {

struct FreeOpenSsl {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, FreeOpenSsl>;
using Certificate = std::unique_ptr<X509, FreeOpenSsl>;
using Key = std::unique_ptr<EVP_PKEY, FreeOpenSsl>;

/// Reads `bytes` where they lie; they must outlive it.
[[nodiscard]] Bio reader_of(const Secret& bytes);

/// One at least. `name` is for messages. Throws Error(credentials) where there is none or one is cut off.
[[nodiscard]] std::vector<Certificate> parse_certificates(const std::string& name, const Secret& bytes);

/// Throws Error(credentials) where there is none or it needs a pass phrase.
[[nodiscard]] Key parse_key(const std::string& name, const Secret& bytes);

/// In place of OpenSSL's question on the terminal: answers nothing, and sets the bool at `asked`.
int never_answer(char*, int, int, void* asked);

}  // namespace glimpse
