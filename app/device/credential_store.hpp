// Credentials that are renewed while the program runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "device/credentials.hpp"

namespace glimpse {

/// What a look at the files brought.
struct CredentialNews {
  bool changed = false;  // there is a new set, for the next session
  std::string text;      // one line for the log: what is new, or why the old set stays; "" where nothing is
};

/// Used by one thread.
class CredentialStore {
 public:
  /// Throws as LoadedCredentials does. An expired certificate is taken: check_credentials() has refused it at
  /// the start, and here the broker has the last word.
  explicit CredentialStore(Credentials files);

  /// Never null; a set stays usable after a newer one has come.
  [[nodiscard]] std::shared_ptr<const LoadedCredentials> current() const { return current_; }

  /// Looks whether the files have changed (four stat calls where they have not) and takes the new set whole
  /// or not at all: while cert and key do not match, or one would be refused at the start, the old set stays,
  /// and `text` says so once for each new reason.
  [[nodiscard]] CredentialNews refresh();

 private:
  /// A file's identity and times; all zero where it is not there.
  struct Mark {
    std::uint64_t device = 0, inode = 0;
    std::int64_t size = 0, modified_ns = 0, changed_ns = 0;
    std::uint32_t mode = 0, owner = 0;
    bool operator==(const Mark&) const = default;
  };
  [[nodiscard]] std::vector<Mark> look() const;
  /// False while a file is so young that a second change could leave the same times.
  [[nodiscard]] static bool is_settled(const std::vector<Mark>& marks);

  const Credentials files_;
  std::vector<Mark> marks_;  // taken before the files were read
  bool settled_ = false;
  std::shared_ptr<const LoadedCredentials> current_;
  std::string problem_;  // why the files as they are now were not taken
};

}  // namespace glimpse
