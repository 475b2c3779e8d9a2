#include "telemetry/link/tcp_connect.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

namespace glimpse {
namespace {

struct Address {
  int family = 0;
  sockaddr_storage storage{};
  socklen_t length = 0;
};

struct Found {
  int error = 0;  // EAI_*
  std::optional<Address> address;
};

Found look_up(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  Found found;
  found.error = getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &list);
  if (found.error != 0) return found;
  const addrinfo* chosen = list;
  for (const addrinfo* it = list; it != nullptr; it = it->ai_next) {
    if (it->ai_family == AF_INET) {
      chosen = it;
      break;
    }
  }
  found.address.emplace();
  found.address->family = chosen->ai_family;
  found.address->length = chosen->ai_addrlen;
  std::memcpy(&found.address->storage, chosen->ai_addr, chosen->ai_addrlen);
  freeaddrinfo(list);
  return found;
}

LinkFault cannot_connect(const Endpoint& endpoint, int error) {
  if (error == ECONNREFUSED) {
    return {LinkProblem::unreachable,
            "nothing listens at " + endpoint.text() + "; start the broker, or correct the address and port"};
  }
  return {LinkProblem::unreachable, "cannot reach " + endpoint.text() + ": " +
                                        std::generic_category().message(error) +
                                        "; check the network and the address"};
}

}  // namespace

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

struct TcpConnector::Lookup {
  Endpoint endpoint;
  std::mutex mutex;
  std::condition_variable_any done;
  std::optional<Found> found;
};

std::variant<FileDescriptor, LinkFault> TcpConnector::connect(const Endpoint& endpoint,
                                                              const Patience& patience) {
  const LinkFault timed_out{
      LinkProblem::timed_out,
      "no answer from " + endpoint.text() + "; check the address, and that no firewall drops the packets"};
  if (!pending_) {
    pending_ = std::make_shared<Lookup>();
    pending_->endpoint = endpoint;
    // getaddrinfo() can block for half a minute and cannot be interrupted, so it gets a thread that may
    // outlive us: it holds nothing but its own share of the Lookup, and there is never more than one for a
    // link.
    std::thread([lookup = pending_] {
      Found found = look_up(lookup->endpoint);
      const std::lock_guard lock(lookup->mutex);
      lookup->found = found;
      lookup->done.notify_all();
    }).detach();
  }
  Found found;
  {
    std::unique_lock lock(pending_->mutex);
    if (!pending_->done.wait_until(lock, patience.stop, patience.deadline,
                                   [&] { return pending_->found.has_value(); })) {
      return LinkFault{LinkProblem::timed_out,
                       "looking up the name '" + endpoint.host +
                           "' takes too long; check this machine's DNS settings and network"};
    }
    found = *pending_->found;
  }
  pending_.reset();
  if (!found.address) {
    return LinkFault{LinkProblem::name_lookup,
                     "the name '" + endpoint.host + "' cannot be looked up (" + gai_strerror(found.error) +
                         "); correct it, or check this machine's DNS settings and network"};
  }

  FileDescriptor fd(socket(found.address->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return cannot_connect(endpoint, errno);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&found.address->storage),
                found.address->length) != 0) {
    if (errno != EINPROGRESS) return cannot_connect(endpoint, errno);
    if (!wait_for_socket(fd.get(), POLLOUT, patience)) return timed_out;
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    if (error == ETIMEDOUT) return timed_out;
    if (error != 0) return cannot_connect(endpoint, error);
  }
  return fd;
}

}  // namespace glimpse
