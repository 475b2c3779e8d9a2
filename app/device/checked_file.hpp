// Key and certificate files: judged by the very descriptor that they are read from, so that a name that is
// swapped meanwhile changes nothing.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace glimpse {

/// Bytes that are wiped when their owner goes.
class Secret {
 public:
  explicit Secret(std::vector<char> bytes) : bytes_(std::move(bytes)) {}
  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret&&) = delete;
  ~Secret();
  [[nodiscard]] const char* data() const { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  std::vector<char> bytes_;
};

/// A regular file of at most 1 MiB, links followed. `what` names it in messages: "CA file". Throws
/// Error(credentials).
[[nodiscard]] Secret read_checked_file(const std::string& what, const std::string& path);

/// The same for a file that is its owner's alone. Refused besides: a symbolic link; an owner who is neither
/// us nor root; a mode that is neither 0600 nor 0400; a folder in which others could put another file in its
/// place (its owner neither us nor root, or writable by group or others without the sticky bit). The folder
/// is opened first and the file through it, so folders further up need no look: whoever swaps one can only
/// show us a folder of his own, which is refused, or one of ours.
[[nodiscard]] Secret read_private_file(const std::string& what, const std::string& path);

}  // namespace glimpse
