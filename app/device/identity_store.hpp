// Where a device's own key and certificate lie once it is provisioned, and where they grow until then.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/file_descriptor.hpp"
#include "device/checked_file.hpp"

namespace glimpse {

/// STATE/identity is there as a whole or not at all: its files are made in STATE/identity.pending, which
/// takes its name at the end. A process that is killed between any two steps leaves no half of anything. Each
/// call that changes something comes back when the disk has it, and throws Error(configuration) where it has
/// not.
class IdentityStore {
 public:
  /// One process at a time: throws Error(configuration) where another one is at it. `after_step` is for the
  /// tests: it is called after each change of the disk.
  explicit IdentityStore(
      const std::string& state, std::function<void()> after_step = [] {});

  [[nodiscard]] const std::string& folder() const { return folder_; }    // STATE/identity
  [[nodiscard]] const std::string& pending() const { return pending_; }  // STATE/identity.pending
  [[nodiscard]] bool is_complete() const;

  /// A pending file; nothing where there is none. Throws as read_private_file() does.
  [[nodiscard]] std::optional<Secret> find(const std::string& what, const std::string& name) const;
  /// A pending file, mode 0600, whole or not at all.
  void put(const std::string& name, std::string_view bytes);
  void start_over();
  /// What is pending is the device's now.
  void complete();

 private:
  [[nodiscard]] FileDescriptor open_folder(const std::string& path) const;
  void flush(const FileDescriptor& file) const;
  [[noreturn]] void refuse(const std::string& what) const;

  std::string state_, folder_, pending_;
  std::function<void()> after_step_;
  FileDescriptor lock_;  // the state folder
};

}  // namespace glimpse
