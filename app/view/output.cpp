#include "view/output.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.hpp"

namespace glimpse {

Output::Output(std::function<void()> on_closed)
    : on_closed_(std::move(on_closed)), is_terminal_(::isatty(STDOUT_FILENO) == 1) {}

void Output::write(std::string_view text) {
  const std::lock_guard lock(mutex_);
  while (!closed_ && !text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      closed_ = true;
      const bool left = errno == EPIPE || (is_terminal_ && errno == EIO);  // EIO: the terminal has gone
      if (!left) fault_ = std::strerror(errno);
      on_closed_();
    }
  }
}

void Output::check() const {
  const std::lock_guard lock(mutex_);
  if (!fault_.empty()) throw Error(ExitCode::internal, "cannot write to standard output: " + fault_);
}

}  // namespace glimpse
