#include "device/identity_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = write(file, bytes.data(), bytes.size());
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

}  // namespace

IdentityStore::IdentityStore(const std::string& state, std::function<void()> after_step)
    : state_(state),
      folder_(state + "/identity"),
      pending_(state + "/identity.pending"),
      after_step_(std::move(after_step)),
      lock_(open_folder(state)) {
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Error(ExitCode::configuration, "another glimpse provision is at work in '" +
                                             escape_control(state_) +
                                             "'; wait for it, or name another folder with --state");
  }
}

void IdentityStore::refuse(const std::string& what) const {
  throw Error(ExitCode::configuration, what + " '" + escape_control(state_) +
                                           "': " + std::generic_category().message(errno) +
                                           "; mend that, then run it again: it goes on where it was");
}

FileDescriptor IdentityStore::open_folder(const std::string& path) const {
  FileDescriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) refuse("cannot look into the state folder");
  return folder;
}

void IdentityStore::flush(const FileDescriptor& file) const {
  if (fsync(file.get()) != 0) refuse("cannot write to the state folder");
}

bool IdentityStore::is_complete() const {
  struct stat found {};
  return lstat(folder_.c_str(), &found) == 0;
}

std::optional<Secret> IdentityStore::find(const std::string& what, const std::string& name) const {
  const std::string path = pending_ + "/" + name;
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0 && errno == ENOENT) return std::nullopt;
  return read_private_file(what, path);
}

void IdentityStore::put(const std::string& name, std::string_view bytes) {
  const std::string path = pending_ + "/" + name, unfinished = path + ".new";
  if (mkdir(pending_.c_str(), S_IRWXU) == 0) {
    flush(lock_);
    after_step_();
  } else if (errno != EEXIST) {
    refuse("cannot make a folder in the state folder");
  }
  unlink(unfinished.c_str());  // of a process that was killed
  const FileDescriptor file(
      open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0) refuse("cannot write to the state folder");
  after_step_();
  if (!write_all(file.get(), bytes)) refuse("cannot write to the state folder");
  flush(file);
  after_step_();
  if (rename(unfinished.c_str(), path.c_str()) != 0) refuse("cannot write to the state folder");
  flush(open_folder(pending_));
  after_step_();
}

void IdentityStore::start_over() {
  std::error_code error;
  std::filesystem::remove_all(pending_, error);
  if (error) {
    errno = error.value();
    refuse("cannot remove identity.pending from the state folder");
  }
  flush(lock_);
  after_step_();
}

void IdentityStore::complete() {
  // Takes no folder's place but an empty one's.
  if (rename(pending_.c_str(), folder_.c_str()) != 0)
    refuse("cannot rename identity.pending to identity in the state folder");
  after_step_();
  flush(lock_);
}

}  // namespace glimpse
