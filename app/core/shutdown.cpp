#include "core/shutdown.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>

namespace glimpse {
namespace {

// The signal flag: an eventfd, because writing to one is all that a handler may do (signal-safety(7)) and
// because it can be waited for. A handler, not signalfd: libraries start threads before main, and those do
// not block our signals.
int signal_fd = -1;

void on_signal(int) {
  const int saved = errno;
  const std::uint64_t one = 1;
  (void)!::write(signal_fd, &one, sizeof one);
  errno = saved;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

void raise_flag(int fd) {
  const std::uint64_t one = 1;
  (void)!::write(fd, &one, sizeof one);
}

}  // namespace

Shutdown::Shutdown() : ended_fd_(eventfd(0, EFD_CLOEXEC)) {
  signal_fd = eventfd(0, EFD_CLOEXEC);
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  handle(SIGPIPE, SIG_IGN);  // a reader that leaves is an error of write(), not the end of the process
  watcher_ = std::jthread([this] { watch(); });
}

Shutdown::~Shutdown() {
  raise_flag(ended_fd_);
  watcher_.join();
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
  ::close(signal_fd);
  ::close(ended_fd_);
}

void Shutdown::begin() {
  stop_.request_stop();
}

bool Shutdown::by_signal() const {
  const std::lock_guard lock(mutex_);
  return by_signal_;
}

void Shutdown::set_last_words(std::function<int()> last_words) {
  const std::lock_guard lock(mutex_);
  last_words_ = std::move(last_words);
}

void Shutdown::watch() {
  pollfd ended_or_signal[] = {{ended_fd_, POLLIN, 0}, {signal_fd, POLLIN, 0}};
  while (::poll(ended_or_signal, 2, -1) < 0) {
  }
  if (ended_or_signal[0].revents != 0) return;
  {
    const std::lock_guard lock(mutex_);
    by_signal_ = true;
  }
  stop_.request_stop();
  if (::poll(ended_or_signal, 1, static_cast<int>(grace.count())) != 0) return;
  const std::lock_guard lock(mutex_);
  std::_Exit(last_words_ ? last_words_() : 0);
}

}  // namespace glimpse
