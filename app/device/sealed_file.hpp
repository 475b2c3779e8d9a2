// Bytes in memory under a path: for libraries that take a file name, and whom no name on disk shall fool.
#pragma once

#include <string>

#include "core/file_descriptor.hpp"
#include "device/checked_file.hpp"

namespace glimpse {

/// A memfd, sealed: nobody can change it any more. Gone with its owner and not inherited by programs we
/// start.
class SealedFile {
 public:
  explicit SealedFile(const Secret& bytes);  // throws Error(internal) where the kernel refuses
  /// Good for this process, while this object lives.
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }

 private:
  FileDescriptor file_;
};

}  // namespace glimpse
