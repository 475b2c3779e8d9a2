#include "view/output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.hpp"

namespace glimpse {

Output::Output(std::function<void()> on_closed)
    : on_closed_(std::move(on_closed)), is_terminal_(::isatty(STDOUT_FILENO) == 1) {
  if (is_terminal_)
    terminal_ = FileDescriptor(::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

std::size_t Output::write_some(int fd, std::string_view text) {
  while (!closed_) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written >= 0) return static_cast<std::size_t>(written);
    if (errno == EAGAIN) return 0;
    if (errno == EINTR) continue;
    closed_ = true;
    const bool left = errno == EPIPE || (is_terminal_ && errno == EIO);  // EIO: the terminal has gone
    if (!left) fault_ = std::strerror(errno);
    on_closed_();
  }
  return 0;
}

void Output::write(std::string_view text) {
  const std::lock_guard lock(mutex_);
  unsent_ += text;
  while (!closed_ && !unsent_.empty()) {
    const std::size_t written = write_some(STDOUT_FILENO, unsent_);
    unsent_.erase(0, written);
    pollfd room{STDOUT_FILENO, POLLOUT, 0};
    if (written == 0) ::poll(&room, 1, -1);  // somebody has made it O_NONBLOCK
  }
}

bool Output::try_write(std::string_view text) {
  const std::lock_guard lock(mutex_);
  const int fd = terminal_.get() >= 0 ? terminal_.get() : STDOUT_FILENO;
  unsent_.erase(0, write_some(fd, unsent_));
  if (!unsent_.empty()) return false;
  unsent_ = text;
  unsent_.erase(0, write_some(fd, unsent_));
  return true;
}

void Output::check() const {
  const std::lock_guard lock(mutex_);
  if (!fault_.empty()) throw Error(ExitCode::internal, "cannot write to standard output: " + fault_);
}

}  // namespace glimpse
