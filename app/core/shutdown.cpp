#include "core/shutdown.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>

namespace glimpse {

Shutdown::Shutdown() {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that leaves is an error of write(), not the end of the process
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal_fd_ = signalfd(-1, &signals, SFD_CLOEXEC);
  event_fd_ = eventfd(0, EFD_CLOEXEC);
  watcher_ = std::jthread([this] { watch(); });
}

Shutdown::~Shutdown() {
  const std::uint64_t ended = UINT64_MAX - 1;  // ends both waits of the watcher
  (void)!::write(event_fd_, &ended, sizeof ended);
  watcher_.join();
  ::close(signal_fd_);
  ::close(event_fd_);
}

void Shutdown::begin() {
  const std::uint64_t one = 1;
  (void)!::write(event_fd_, &one, sizeof one);
  stop_.request_stop();
}

bool Shutdown::by_signal() const {
  const std::lock_guard lock(mutex_);
  return by_signal_;
}

void Shutdown::set_last_words(std::function<void()> last_words) {
  const std::lock_guard lock(mutex_);
  last_words_ = std::move(last_words);
}

void Shutdown::watch() {
  pollfd wait_for[] = {{event_fd_, POLLIN, 0}, {signal_fd_, POLLIN, 0}};
  while (::poll(wait_for, 2, -1) < 0) {
  }
  if (wait_for[1].revents != 0) {
    const std::lock_guard lock(mutex_);
    by_signal_ = true;
  }
  std::uint64_t count = 0;
  if (wait_for[0].revents != 0 && ::read(event_fd_, &count, sizeof count) > 0 && count > 1) return;
  stop_.request_stop();

  if (::poll(wait_for, 1, static_cast<int>(grace.count())) != 0) return;
  const std::lock_guard lock(mutex_);
  if (last_words_) last_words_();
  std::_Exit(0);
}

}  // namespace glimpse
