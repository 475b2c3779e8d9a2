#include "core/state_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path default_folder() {
  if (const std::string list = variable("STATE_DIRECTORY"); !list.empty()) {
    return list.substr(0, list.find(':'));  // systemd.exec(5): a list
  }
  // XDG Base Directory Specification: a relative path is to be ignored.
  if (const fs::path base = variable("XDG_STATE_HOME"); base.is_absolute()) return base / "glimpse";
  const fs::path home = variable("HOME");
  return home.empty() ? fs::path() : home / ".local" / "state" / "glimpse";
}

/// mkdir -p, each new folder for its owner alone.
bool make_folders(const fs::path& folder) {
  if (fs::is_directory(folder)) return true;
  if (folder.has_parent_path() && folder.parent_path() != folder && !make_folders(folder.parent_path()))
    return false;
  return mkdir(folder.c_str(), 0700) == 0 || (errno == EEXIST && fs::is_directory(folder));
}

}  // namespace

std::string state_folder_name(const std::string& given) {
  return given.empty() ? default_folder().string() : given;
}

std::string state_folder(const std::string& given) {
  const fs::path folder = state_folder_name(given);
  if (folder.empty())
    throw Error(ExitCode::configuration, "no HOME to keep the state in; name a folder with --state");
  const auto refuse = [&](const std::string& what, int error) {
    throw Error(ExitCode::configuration, "the state folder '" + escape_control(folder.string()) + "' " +
                                             what + ": " + std::generic_category().message(error) +
                                             "; name another one with --state");
  };
  std::error_code ignored;
  errno = 0;
  if (!make_folders(fs::absolute(folder, ignored))) refuse("cannot be made", errno == 0 ? ENOTDIR : errno);
  if (access(folder.c_str(), R_OK | W_OK | X_OK) != 0) refuse("cannot be written to", errno);
  return folder.string();
}

}  // namespace glimpse
