#include "telemetry/link/tcp_connect.hpp"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace glimpse {

struct TcpConnector::Found {
  struct Address {
    int family = 0;
    sockaddr_storage storage{};
    socklen_t length = 0;
  };
  int error = 0;  // EAI_*
  std::optional<Address> address;
};

struct TcpConnector::Lookup {
  std::mutex mutex;
  std::condition_variable_any done;
  std::optional<Found> found;
};

TcpConnector::Found TcpConnector::look_up(const Endpoint& endpoint) {
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

namespace {

std::string within(Steady::duration limit) {
  return " within " + std::to_string(std::chrono::ceil<std::chrono::seconds>(limit).count()) + " s";
}

}  // namespace

TcpConnector::TcpConnector(std::optional<Proxy> proxy, LinkLimits limits)
    : proxy_(std::move(proxy)), limits_(limits) {}

std::variant<FileDescriptor, LinkFault> TcpConnector::connect(const Endpoint& endpoint,
                                                              const Patience& patience) {
  if (!proxy_) return reach(endpoint, endpoint.text(), patience);
  auto tried = reach(proxy_->address, proxy_->text(), patience);
  if (auto* fd = std::get_if<FileDescriptor>(&tried)) {
    auto fault = ask_proxy(fd->get(), *proxy_, endpoint, patience.at_most(limits_.proxy));
    if (fault) return std::move(*fault);
  }
  return tried;
}

std::variant<FileDescriptor, LinkFault> TcpConnector::reach(const Endpoint& target, const std::string& name,
                                                            const Patience& patience) {
  const std::optional<Found> found = look_up_in_time(target, patience.at_most(limits_.name_lookup));
  if (!found) {
    return LinkFault{LinkProblem::timed_out, "the name '" + target.host + "' could not be looked up" +
                                                 within(limits_.name_lookup) +
                                                 "; check this machine's DNS settings and network"};
  }
  if (!found->address) {
    return LinkFault{LinkProblem::name_lookup,
                     "the name '" + target.host + "' cannot be looked up (" + gai_strerror(found->error) +
                         "); correct it, or check this machine's DNS settings and network"};
  }
  FileDescriptor fd(socket(found->address->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int error = fd.get() < 0 ? errno : 0;
  if (error == 0 && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&found->address->storage),
                              found->address->length) != 0) {
    error = errno;
  }
  if (error == EINPROGRESS) {
    error = ETIMEDOUT;
    socklen_t length = sizeof(error);
    if (wait_for_socket(fd.get(), POLLOUT, patience.at_most(limits_.tcp)) &&
        getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
      error = errno;
    }
  }
  if (error == 0) {
    const int on = 1;  // our packets are small, and each waits for an answer
    (void)setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
  }
  if (error == ETIMEDOUT) {
    return LinkFault{LinkProblem::timed_out,
                     "no answer from " + name + within(limits_.tcp) +
                         "; check the address, and that no firewall drops the packets"};
  }
  if (error == ECONNREFUSED) {
    return LinkFault{LinkProblem::unreachable, "nothing listens at " + name + "; start " +
                                                   (proxy_ ? "it" : "the broker") +
                                                   ", or correct the address and port"};
  }
  return LinkFault{LinkProblem::unreachable, "cannot reach " + name + ": " +
                                                 std::generic_category().message(error) +
                                                 "; check the network and the address"};
}

std::optional<TcpConnector::Found> TcpConnector::look_up_in_time(const Endpoint& target,
                                                                 const Patience& patience) {
  if (!pending_) {
    pending_ = std::make_shared<Lookup>();
    // getaddrinfo() can block for half a minute and cannot be interrupted, so it gets a thread that may
    // outlive us: it holds nothing but its own share of the Lookup, and there is never more than one for a
    // link.
    std::thread([lookup = pending_, target] {
      Found found = look_up(target);
      const std::lock_guard lock(lookup->mutex);
      lookup->found = found;
      lookup->done.notify_all();
    }).detach();
  }
  std::unique_lock lock(pending_->mutex);
  if (!pending_->done.wait_until(lock, patience.stop, patience.deadline,
                                 [&] { return pending_->found.has_value(); })) {
    return std::nullopt;
  }
  lock.unlock();
  return std::exchange(pending_, nullptr)->found;
}

}  // namespace glimpse
