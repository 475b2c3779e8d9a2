#include "device/credential_store.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "core/error.hpp"
#include "core/text.hpp"
#include "device/token_key.hpp"

namespace glimpse {
namespace {

// FAT, on an SD card, counts in 2 s.
constexpr std::int64_t settling_ns = 3'000'000'000;

std::int64_t ns(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::string folder_of(const std::string& file) {
  const auto slash = file.rfind('/');
  return slash == std::string::npos ? "." : file.substr(0, slash + 1);
}

}  // namespace

CredentialStore::CredentialStore(Credentials files)
    : files_(std::move(files)),
      marks_(look()),
      settled_(is_settled(marks_)),
      current_(std::make_shared<const LoadedCredentials>(files_)) {}

std::vector<CredentialStore::Mark> CredentialStore::look() const {
  std::vector<Mark> marks;
  const auto add = [&marks](const std::string& path, auto look_at) -> Mark& {
    struct stat found {};
    Mark& mark = marks.emplace_back();
    if (!path.empty() && look_at(path.c_str(), &found) == 0) {
      mark = {found.st_dev,      found.st_ino,  found.st_size, ns(found.st_mtim),
              ns(found.st_ctim), found.st_mode, found.st_uid};
    }
    return mark;
  };
  add(files_.ca_file, ::stat);
  add(files_.cert_file, ::stat);
  const std::string secret = is_token_uri(files_.key_file) ? pin_file(files_.key_file) : files_.key_file;
  add(secret, ::lstat);
  if (!secret.empty()) {
    // Of the folder only what the key is judged by: other files come and go in it.
    Mark& folder = add(folder_of(secret), ::stat);
    folder.size = folder.modified_ns = folder.changed_ns = 0;
  }
  return marks;
}

bool CredentialStore::is_settled(const std::vector<Mark>& marks) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::all_of(marks.begin(), marks.end(), [&now](const Mark& mark) {
    return ns(now) - std::max(mark.modified_ns, mark.changed_ns) >= settling_ns;
  });
}

CredentialNews CredentialStore::refresh() {
  std::vector<Mark> marks = look();
  // A reason that leaves no mark on the files (no descriptor left) is tried again. Not with a token: a wrong
  // PIN given a few times locks it.
  const bool again = (!settled_ || !problem_.empty()) && !is_token_uri(files_.key_file);
  if (marks == marks_ && !again) return {};
  marks_ = std::move(marks);
  settled_ = is_settled(marks_);
  try {
    auto fresh = std::make_shared<const LoadedCredentials>(files_);
    if (!fresh->same_content(*current_)) {
      fresh->refuse_expired();
      current_ = std::move(fresh);
      problem_.clear();
      const std::string end = current_->valid_until();
      return {true,
              "certificates and key were read anew" +
                  (end.empty() ? "" : "; '" + escape_control(files_.cert_file) + "' is valid until " + end)};
    }
    problem_.clear();
    return {};
  } catch (const Error& error) {
    if (problem_ == error.what()) return {};
    problem_ = error.what();
    return {false, "changed credentials are not taken, those loaded before stay in use: " + problem_};
  }
}

}  // namespace glimpse
