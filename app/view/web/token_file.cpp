#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "core/error.hpp"
#include "core/file_descriptor.hpp"
#include "device/checked_file.hpp"
#include "view/web/access.hpp"

namespace glimpse {
namespace {

constexpr std::size_t digits = 64;

std::string new_token() {
  std::array<unsigned char, digits / 2> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    throw Error(ExitCode::internal, "the kernel gives no random bytes for the page's token");
  std::string token;
  for (const unsigned char byte : random)
    token += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  return token;
}

/// Whole or not at all. Where another process was faster, its token stays.
void make(const std::string& file) {
  std::string draft = file + ".XXXXXX";
  const FileDescriptor out(::mkostemp(draft.data(), O_CLOEXEC));  // 0600
  const std::string text = new_token() + "\n";
  const bool written =
      out.get() >= 0 && ::write(out.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(out.get()) == 0 && (::link(draft.c_str(), file.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  if (out.get() >= 0) ::unlink(draft.c_str());
  if (!written)
    throw Error(ExitCode::credentials, "the page's token cannot be written to " + file + ": " +
                                           std::generic_category().message(error));
}

}  // namespace

std::string load_token(const std::string& file) {
  std::error_code ignored;
  if (std::filesystem::symlink_status(file, ignored).type() == std::filesystem::file_type::not_found)
    make(file);
  const Secret secret = read_private_file("token of the page", file);
  std::string token(secret.data(), std::min(secret.size(), digits));
  const bool valid = token.size() == digits && secret.size() <= digits + 1 &&
                     token.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!valid)
    throw Error(ExitCode::credentials, file + " is not a token of the page; for a new one: rm " + file);
  return token;
}

}  // namespace glimpse
