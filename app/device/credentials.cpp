#include "device/credentials.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>
#include <memory>
#include <random>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

constexpr std::size_t max_pem_bytes = 1024 * 1024;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ExitCode::credentials, message);
}

/// A file opened once: what is judged by status() is what is read by text(), whatever happens to the name
/// meanwhile.
class OpenFile {
 public:
  OpenFile(std::string what, const std::string& path)
      : name_(std::move(what) + " '" + escape_control(path) + "'"),
        fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd_ < 0)
      refuse(name_ + " cannot be opened: " + std::generic_category().message(errno) + "; correct its path");
    if (fstat(fd_, &status_) != 0 || !S_ISREG(status_.st_mode)) {
      close(fd_);
      refuse(name_ + " is not a file; give the path of a PEM file");
    }
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { close(fd_); }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const struct stat& status() const { return status_; }

  [[nodiscard]] std::unique_ptr<BIO, Free> contents() const {
    std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
    std::array<char, 4096> block{};
    std::size_t total = 0;
    ssize_t got = 0;
    while ((got = read(fd_, block.data(), block.size())) > 0 &&
           (total += static_cast<std::size_t>(got)) <= max_pem_bytes) {
      BIO_write(bio.get(), block.data(), static_cast<int>(got));
    }
    if (got < 0) refuse(name_ + " cannot be read: " + std::generic_category().message(errno));
    return bio;
  }

 private:
  std::string name_;
  int fd_;
  struct stat status_ {};
};

Certificate read_certificate(const OpenFile& file) {
  Certificate certificate(PEM_read_bio_X509(file.contents().get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!certificate)
    refuse(file.name() + " holds no PEM certificate; give one that has a line BEGIN CERTIFICATE");
  return certificate;
}

void check_not_expired(const OpenFile& file, const X509* certificate) {
  // Not yet valid is left to the handshake: a board without a battery starts in 1970 and learns the time
  // later.
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) >= 0) return;
  tm end{};
  char text[32] = "";
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1) {
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &end);
  }
  refuse(file.name() + " expired at " + text + "; have a new one issued");
}

void check_private(const OpenFile& file, const std::string& path) {
  const uid_t owner = file.status().st_uid;
  const std::string shown = escape_control(path);
  if (owner != geteuid() && owner != 0) {
    refuse(file.name() + " belongs to another user (uid " + std::to_string(owner) + "): chown " +
           std::to_string(geteuid()) + " " + shown);
  }
  const mode_t mode = file.status().st_mode & 07777;
  if (mode != 0600 && mode != 0400) {
    char octal[8] = "";
    snprintf(octal, sizeof(octal), "%04o", static_cast<unsigned>(mode));
    refuse(file.name() + " has mode " + octal +
           ", and a private key is for its owner's eyes alone: chmod 600 " + shown);
  }
}

Key read_key(const OpenFile& file) {
  bool encrypted = false;
  // Without a callback OpenSSL would ask for the pass phrase on the terminal.
  const auto no_pass_phrase = [](char*, int, int, void* flag) {
    *static_cast<bool*>(flag) = true;
    return -1;
  };
  Key key(PEM_read_bio_PrivateKey(file.contents().get(), nullptr, no_pass_phrase, &encrypted));
  ERR_clear_error();
  if (encrypted)
    refuse(file.name() + " is encrypted; give a key without a pass phrase (openssl pkey -in OLD -out NEW)");
  if (!key) refuse(file.name() + " holds no PEM private key; give one that has a line BEGIN PRIVATE KEY");
  return key;
}

}  // namespace

void check_credentials(const Credentials& credentials) {
  if (!credentials.ca_file.empty()) {
    (void)read_certificate(OpenFile("CA file", credentials.ca_file));
  }
  if (credentials.cert_file.empty() && credentials.key_file.empty()) return;
  if (credentials.key_file.empty()) {
    refuse("a certificate ('" + escape_control(credentials.cert_file) +
           "') but no key is given; add --key FILE");
  }
  if (credentials.cert_file.empty()) {
    refuse("a key ('" + escape_control(credentials.key_file) +
           "') but no certificate is given; add --cert FILE");
  }
  const OpenFile key_file("key", credentials.key_file);
  check_private(key_file, credentials.key_file);
  const OpenFile cert_file("certificate", credentials.cert_file);
  const Certificate certificate = read_certificate(cert_file);
  check_not_expired(cert_file, certificate.get());
  const Key key = read_key(key_file);
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    refuse(key_file.name() + " does not belong to " + cert_file.name() +
           "; give the pair that was issued together");
  }
}

bool is_device_name(const std::string& name) {
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
           c == '_' || c == '-';
  });
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string default_device_name() {
  std::string name = host_name().substr(0, 128);
  for (char& c : name) {
    if (!is_device_name(std::string(1, c))) c = '-';
  }
  return name.empty() ? "glimpse" : name;
}

std::string new_boot_id() {
  std::random_device random;
  std::array<std::uint8_t, 16> bytes{};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  bytes[6] = (bytes[6] & 0x0f) | 0x40;  // version 4
  bytes[8] = (bytes[8] & 0x3f) | 0x80;  // variant of RFC 4122
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    static constexpr char hex[] = "0123456789abcdef";
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += {hex[bytes[i] >> 4], hex[bytes[i] & 15]};
  }
  return text;
}

}  // namespace glimpse
