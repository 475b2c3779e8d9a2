// The device's key and certificates, checked before use and kept in memory: what was checked is what is used.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "device/sealed_file.hpp"

namespace glimpse {

/// Paths of PEM files. All empty where TLS is not used; cert and key go together.
struct Credentials {
  std::string ca_file;
  std::string cert_file;
  std::string key_file;  // or a PKCS#11 URI, pkcs11:token=…;object=…?pin-source=…
};

/// The files' content, read once. Immutable. The paths below are to copies in memory, for OpenSSL and paho;
/// they are good for this process while the object lives, and "" where there is no such file.
class LoadedCredentials {
 public:
  LoadedCredentials() = default;  // none
  /// Throws Error(credentials), naming the file and the command that mends it, when a file is missing or is
  /// not PEM, read_private_file() refuses the key, cert and key do not belong together, or only one of the
  /// two is given; Error(internal) without memory or descriptors.
  explicit LoadedCredentials(const Credentials& files);

  [[nodiscard]] std::string ca_path() const { return ca_ ? ca_->path() : ""; }
  [[nodiscard]] std::string cert_path() const { return cert_ ? cert_->path() : ""; }
  [[nodiscard]] std::string key_path() const { return key_ ? key_->path() : ""; }

  /// What the user calls them, for messages; a key's URI without its PIN.
  [[nodiscard]] const Credentials& names() const { return names_; }
  /// The end of our certificate; nothing without one.
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> expires() const { return end_; }
  /// The same in words, "2026-12-24 18:00:00 UTC"; "" without one.
  [[nodiscard]] std::string valid_until() const;
  /// Throws Error(credentials) when our certificate has expired. One not yet valid is left to the handshake:
  /// a board without a battery starts in 1970 and learns the time later.
  void refuse_expired() const;
  [[nodiscard]] bool same_content(const LoadedCredentials& other) const { return digest_ == other.digest_; }

 private:
  Credentials names_;
  std::optional<SealedFile> ca_, cert_, key_;
  std::optional<std::chrono::system_clock::time_point> end_;  // our certificate's
  std::array<unsigned char, 32> digest_{};                    // SHA-256 of all three
};

/// Throws as LoadedCredentials and its refuse_expired() do.
void check_credentials(const Credentials& credentials);

}  // namespace glimpse
