#include "device/checked_file.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "core/error.hpp"
#include "core/file_descriptor.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

constexpr off_t max_bytes = 1024 * 1024;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ExitCode::credentials, message);
}

std::string reason() {
  return std::generic_category().message(errno);
}

std::string octal(mode_t mode) {
  char text[8] = "";
  snprintf(text, sizeof(text), "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

bool is_ours(const struct stat& status) {
  return status.st_uid == geteuid() || status.st_uid == 0;
}

/// A file that was found but not opened yet: a device or FIFO is not touched by looking at it, and a file is
/// judged by mode and owner even where we may not read it.
struct Found {
  std::string name;  // for messages
  FileDescriptor file;
  struct stat status {};
};

Found find(int folder, const std::string& file, int flags, std::string name) {
  Found found{std::move(name), FileDescriptor(openat(folder, file.c_str(), O_PATH | O_CLOEXEC | flags)), {}};
  if (found.file.get() < 0 || fstat(found.file.get(), &found.status) != 0)
    refuse(found.name + " cannot be opened: " + reason() + "; correct its path");
  return found;
}

void check_regular(const Found& found) {
  if (!S_ISREG(found.status.st_mode)) refuse(found.name + " is not a file; give the path of a PEM file");
}

Secret read_found(const Found& found) {
  if (found.status.st_size > max_bytes)
    refuse(found.name + " is larger than 1 MiB; give the path of a PEM file");
  const std::string same = "/proc/self/fd/" + std::to_string(found.file.get());
  const FileDescriptor file(open(same.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) refuse(found.name + " cannot be opened: " + reason() + "; let this user read it");
  // Of one piece from the start: a vector that grows would leave copies behind.
  std::vector<char> bytes(static_cast<std::size_t>(found.status.st_size) + 1);
  std::size_t total = 0;
  ssize_t got = 0;
  while (total < bytes.size() && (got = read(file.get(), bytes.data() + total, bytes.size() - total)) > 0)
    total += static_cast<std::size_t>(got);
  const bool failed = got < 0, grew = total == bytes.size();
  bytes.resize(total);
  Secret secret(std::move(bytes));
  if (failed) refuse(found.name + " cannot be read: " + reason() + "; check the disk");
  if (grew) refuse(found.name + " grew while it was read; try again when it is complete");
  return secret;
}

void check_folder(const Found& file, const Found& folder) {
  const std::string where = file.name + " lies in a folder ";
  if (!is_ours(folder.status)) {
    refuse(where + "of another user (" + folder.name + ", uid " + std::to_string(folder.status.st_uid) +
           "), who can put another in its place: move it to a folder of this user or root");
  }
  if ((folder.status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (folder.status.st_mode & S_ISVTX) == 0) {
    refuse(where + "that others can write to (mode " + octal(folder.status.st_mode) +
           "), and so put another in its place: chmod go-w " + folder.name);
  }
}

std::string target_of(const std::string& link) {
  const std::unique_ptr<char, decltype(&std::free)> target(realpath(link.c_str(), nullptr), &std::free);
  return target ? escape_control(target.get()) : "";
}

}  // namespace

Secret::~Secret() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

Secret read_checked_file(const std::string& what, const std::string& path) {
  const Found file = find(AT_FDCWD, path, 0, what + " '" + escape_control(path) + "'");
  check_regular(file);
  return read_found(file);
}

Secret read_private_file(const std::string& what, const std::string& path) {
  const std::string shown = escape_control(path), name = what + " '" + shown + "'";
  const auto slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string base = path.substr(slash + 1);  // npos + 1 is 0
  if (base.empty()) refuse(name + " is not a file; give the path of a PEM file");

  Found folder = find(AT_FDCWD, parent, O_DIRECTORY, name);
  folder.name = escape_control(parent);
  const Found file = find(folder.file.get(), base, O_NOFOLLOW, name);
  if (S_ISLNK(file.status.st_mode)) {
    const std::string target = target_of(path);
    refuse(name + " is a symbolic link, which could lead elsewhere a moment later; give the file itself" +
           (target.empty() ? "" : ": " + target));
  }
  check_regular(file);
  if (!is_ours(file.status)) {
    refuse(name + " belongs to another user (uid " + std::to_string(file.status.st_uid) + "): chown " +
           std::to_string(geteuid()) + " " + shown);
  }
  const mode_t mode = file.status.st_mode & 07777;
  if (mode != 0600 && mode != 0400) {
    refuse(name + " has mode " + octal(mode) + ", and it is for its owner's eyes alone: chmod 600 " + shown);
  }
  check_folder(file, folder);
  return read_found(file);
}

}  // namespace glimpse
