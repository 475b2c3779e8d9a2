#include "core/shutdown.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>

namespace glimpse {
namespace {

// The signal flags: eventfds, because writing to one is all that a handler may do (signal-safety(7)) and
// because it can be waited for. A handler, not signalfd: libraries start threads before main, and those do
// not block our signals.
int signal_fd = -1, hangup_fd = -1;

void on_signal(int signal) {
  const int saved = errno;
  const std::uint64_t one = 1;
  (void)!::write(signal == SIGHUP ? hangup_fd : signal_fd, &one, sizeof one);
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

/// Even the last words can wait for ever: for a terminal that takes nothing (Ctrl-S, a connection that
/// stalls).
void limit_last_words() {
  handle(SIGALRM, [](int) { ::_exit(0); });
  const itimerval once{{0, 0}, {0, 250'000}};
  ::setitimer(ITIMER_REAL, &once, nullptr);
}

bool is_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

bool has_terminal() {
  const int terminal = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal >= 0) ::close(terminal);
  return terminal >= 0;
}

Shutdown::Shutdown(bool ends_on_hangup)
    : ended_fd_(eventfd(0, EFD_CLOEXEC)),
      limit_fd_(eventfd(0, EFD_CLOEXEC)),
      ends_on_hangup_(ends_on_hangup) {
  signal_fd = eventfd(0, EFD_CLOEXEC);
  hangup_fd = eventfd(0, EFD_CLOEXEC);
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  if (!is_ignored(SIGHUP)) handle(SIGHUP, on_signal);
  handle(SIGPIPE, SIG_IGN);  // a reader that leaves is an error of write(), not the end of the process
  watcher_ = std::jthread([this] { watch(); });
}

Shutdown::~Shutdown() {
  raise_flag(ended_fd_);
  watcher_.join();
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
  if (!is_ignored(SIGHUP)) handle(SIGHUP, SIG_DFL);
  ::close(signal_fd);
  ::close(hangup_fd);
  ::close(ended_fd_);
  ::close(limit_fd_);
}

void Shutdown::begin() {
  stop_.request_stop();
}

void Shutdown::limit() {
  raise_flag(limit_fd_);
}

bool Shutdown::by_signal() const {
  const std::lock_guard lock(mutex_);
  return by_signal_;
}

void Shutdown::set_last_words(std::function<int()> last_words) {
  const std::lock_guard lock(mutex_);
  last_words_ = std::move(last_words);
}

void Shutdown::set_on_hangup(std::function<void()> on_hangup) {
  const std::lock_guard lock(mutex_);
  on_hangup_ = std::move(on_hangup);
}

bool Shutdown::hangup_is_taken() {
  std::uint64_t count = 0;
  (void)!::read(hangup_fd, &count, sizeof count);
  const std::lock_guard lock(mutex_);
  if (ends_on_hangup_ || !on_hangup_) return false;
  on_hangup_();
  return true;
}

void Shutdown::watch() {
  pollfd flags[] = {
      {ended_fd_, POLLIN, 0}, {limit_fd_, POLLIN, 0}, {signal_fd, POLLIN, 0}, {hangup_fd, POLLIN, 0}};
  for (;;) {
    while (::poll(flags, 4, -1) < 0) {
    }
    if (flags[0].revents != 0) return;
    if (flags[1].revents != 0 || flags[2].revents != 0 || !hangup_is_taken()) break;
  }
  if (flags[1].revents == 0) {
    const std::lock_guard lock(mutex_);
    by_signal_ = true;
  }
  stop_.request_stop();
  if (::poll(flags, 1, static_cast<int>(grace.count())) != 0) return;
  limit_last_words();
  const std::lock_guard lock(mutex_);
  std::_Exit(last_words_ ? last_words_() : 0);
}

}  // namespace glimpse
