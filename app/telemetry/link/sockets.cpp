#include "telemetry/link/sockets.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace glimpse {

bool wait_for_socket(int fd, short events, const Patience& patience) {
  const FileDescriptor stopped(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback wake(patience.stop, [&stopped] { (void)eventfd_write(stopped.get(), 1); });
  while (!patience.over()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(patience.deadline - Steady::now());
    pollfd watched[] = {{fd, events, 0}, {stopped.get(), POLLIN, 0}};
    const int ready = poll(watched, 2, static_cast<int>(std::clamp<long>(left.count(), 0, 60'000)));
    if (ready > 0 && watched[0].revents != 0) return true;
  }
  return false;
}

bool write_all(int fd, const std::string& text, const Patience& patience) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t sent = send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
      return false;
    } else if (!wait_for_socket(fd, POLLOUT, patience)) {
      return false;
    }
  }
  return true;
}

}  // namespace glimpse
