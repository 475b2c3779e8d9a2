#include "device/credentials.hpp"

#include <openssl/err.h>

#include <ctime>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/utc.hpp"
#include "device/pem.hpp"
#include "device/token_key.hpp"

namespace glimpse {
namespace {

using Clock = std::chrono::system_clock;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ExitCode::credentials, message);
}

std::string named(const char* what, const std::string& path) {
  return std::string(what) + " '" + escape_control(path) + "'";
}

std::optional<Clock::time_point> end_of(const X509* certificate) {
  tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return std::nullopt;
  return Clock::from_time_t(timegm(&end));
}

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(const Secret& bytes) {
    const std::size_t size = bytes.size();
    EVP_DigestUpdate(context_.get(), &size, sizeof(size));  // where one file ends and the next begins
    EVP_DigestUpdate(context_.get(), bytes.data(), size);
  }
  [[nodiscard]] std::array<unsigned char, 32> value() {
    std::array<unsigned char, 32> bytes{};
    EVP_DigestFinal_ex(context_.get(), bytes.data(), nullptr);
    return bytes;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace

LoadedCredentials::LoadedCredentials(const Credentials& files)
    : names_{files.ca_file, files.cert_file, without_pin(files.key_file)} {
  Digest digest;
  if (!files.ca_file.empty()) {
    const Secret ca = read_checked_file("CA file", files.ca_file);
    (void)parse_certificates(named("CA file", files.ca_file), ca);
    digest.add(ca);
    ca_.emplace(ca);
  }
  if (files.key_file.empty() && !files.cert_file.empty())
    refuse("a certificate ('" + escape_control(files.cert_file) + "') but no key is given; add --key FILE");
  if (files.cert_file.empty() && !files.key_file.empty())
    refuse("a key ('" + escape_control(names_.key_file) + "') but no certificate is given; add --cert FILE");
  if (!files.key_file.empty()) {
    const bool token = is_token_uri(files.key_file);
    const std::string key_name = named("key", names_.key_file),
                      cert_name = named("certificate", files.cert_file);
    const Secret key_pem = token ? reference_pem(files.key_file) : read_private_file("key", files.key_file);
    const Secret cert_pem = read_checked_file("certificate", files.cert_file);
    const auto certificates = parse_certificates(cert_name, cert_pem);
    const Key key = token ? find_token_key(files.key_file, key_pem) : parse_key(key_name, key_pem);
    if (X509_check_private_key(certificates.front().get(), key.get()) != 1) {
      ERR_clear_error();
      refuse(key_name + " does not belong to " + cert_name + "; give the pair that was issued together");
    }
    end_ = end_of(certificates.front().get());
    digest.add(cert_pem);
    digest.add(key_pem);
    cert_.emplace(cert_pem);
    key_.emplace(key_pem);
  }
  digest_ = digest.value();
}

std::string LoadedCredentials::valid_until() const {
  return end_ ? utc(*end_) : "";
}

void LoadedCredentials::refuse_expired() const {
  if (!end_ || Clock::now() <= *end_) return;
  refuse(named("certificate", names_.cert_file) + " expired at " + valid_until() + "; have a new one issued");
}

void check_credentials(const Credentials& credentials) {
  LoadedCredentials(credentials).refuse_expired();
}

}  // namespace glimpse
