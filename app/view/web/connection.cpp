#include "view/web/connection.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace glimpse {
namespace {

bool wait_for(int socket, short events, Steady::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()).count();
    pollfd entry{socket, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(0, left)));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0 && (entry.revents & events) != 0;
  }
}

}  // namespace

bool Connection::is_readable() const {
  return taken_ < head_.size() || room_ > 0;
}

bool Connection::is_writable() const {
  if (Steady::now() >= answered_by_) return false;
  pollfd entry{socket_, POLLRDHUP, 0};  // not by reading: it may have said more before it went
  return ::poll(&entry, 1, 0) <= 0;
}

ssize_t Connection::read(char* to, std::size_t size) {
  if (taken_ < head_.size()) {
    const std::size_t count = head_.copy(to, size, taken_);
    taken_ += count;
    return static_cast<ssize_t>(count);
  }
  const std::size_t most = std::min(size, room_);
  if (most == 0 || !wait_for(socket_, POLLIN, read_by_)) return -1;
  const ssize_t got = ::recv(socket_, to, most, MSG_DONTWAIT);
  if (got > 0) room_ -= static_cast<std::size_t>(got);
  return got;
}

ssize_t Connection::write(const char* from, std::size_t size) {
  if (!wait_for(socket_, POLLOUT, std::min(answered_by_, Steady::now() + write_patience))) return -1;
  const ssize_t sent = ::send(socket_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

// Nothing here asks for them.
void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace glimpse
