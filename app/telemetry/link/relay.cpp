#include "telemetry/link/relay.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <vector>

#include "telemetry/link/proxy.hpp"

namespace glimpse {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_newcomers = 8;  // who have not said yet who they are; then the first of them goes
constexpr auto farewell_limit = 300ms;  // to carry what is under way, and again for the other side to hang up

/// One direction: a buffer of 16 KiB, read again only once it is empty, so that whoever sends faster waits.
class Flow {
 public:
  Flow(int from, int to) : from_(from), to_(to) {}
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] bool source_ended() const { return source_ended_; }
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool wants_to_read() const { return empty() && !source_ended_ && !broken_; }
  [[nodiscard]] bool wants_to_write() const { return !empty() && !broken_; }

  void read() {
    const ssize_t got = recv(from_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got > 0) {
      begin_ = 0;
      end_ = static_cast<std::size_t>(got);
      write();  // most often there is room at once
    } else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
      source_ended_ = true;
    }
  }

  void write() {
    const ssize_t sent = send(to_, buffer_.data() + begin_, end_ - begin_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      begin_ += static_cast<std::size_t>(sent);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
      broken_ = true;
    }
  }

 private:
  int from_, to_;
  std::array<char, 16 * 1024> buffer_{};
  std::size_t begin_ = 0, end_ = 0;
  bool source_ended_ = false, broken_ = false;
};

/// Until one side has ended and the other has got all that it sent; after a stop, farewell_limit longer.
void carry(int client, int upstream, const std::stop_token& stop) {
  const FileDescriptor stopped(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback wake(stop, [&stopped] { (void)eventfd_write(stopped.get(), 1); });
  Flow out(client, upstream), in(upstream, client);
  std::optional<Steady::time_point> deadline;
  const auto done = [](const Flow& flow) { return flow.broken() || (flow.source_ended() && flow.empty()); };
  while (!done(out) && !done(in)) {
    if (!deadline && stop.stop_requested()) deadline = Steady::now() + farewell_limit;
    int wait_ms = -1;
    if (deadline) {
      wait_ms =
          static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*deadline - Steady::now()).count());
      if (wait_ms <= 0) return;
    }
    const auto events = [](const Flow& reads, const Flow& writes) {
      return static_cast<short>((reads.wants_to_read() ? POLLIN : 0) |
                                (writes.wants_to_write() ? POLLOUT : 0));
    };
    // poll() reports a hang-up whether asked or not: a side that is not asked for anything stays out of it.
    const auto watched_fd = [](int fd, short wanted) { return wanted != 0 ? fd : -1; };
    const short of_client = events(out, in), of_upstream = events(in, out);
    pollfd watched[] = {{watched_fd(client, of_client), of_client, 0},
                        {watched_fd(upstream, of_upstream), of_upstream, 0},
                        {deadline ? -1 : stopped.get(), POLLIN, 0}};
    if (poll(watched, 3, wait_ms) <= 0) continue;
    if (watched[0].revents != 0) {
      if (out.wants_to_read()) out.read();
      if (in.wants_to_write()) in.write();
    }
    if (watched[1].revents != 0) {
      if (in.wants_to_read()) in.read();
      if (out.wants_to_write()) out.write();
    }
  }
}

/// Lets a DISCONNECT that is under way arrive: closing with unread bytes would reset the connection.
void say_farewell(int upstream) {
  shutdown(upstream, SHUT_WR);
  const Patience patience{{}, Steady::now() + farewell_limit};
  std::array<char, 1024> ignored;
  while (wait_for_socket(upstream, POLLIN, patience)) {
    if (recv(upstream, ignored.data(), ignored.size(), MSG_DONTWAIT) <= 0) return;
  }
}

std::string random_hex() {
  std::array<unsigned char, 16> bytes;
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::system_error(errno, std::generic_category(), "getrandom");
  std::string hex;
  for (const unsigned char byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

}  // namespace

Relay::Relay(FileDescriptor upstream)
    : upstream_(std::move(upstream)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (listener_.get() < 0 || bind(listener_.get(), any, length) != 0 || listen(listener_.get(), 8) != 0 ||
      getsockname(listener_.get(), any, &length) != 0) {
    throw std::system_error(errno, std::generic_category(), "a listener on 127.0.0.1");
  }
  const std::string user = "glimpse:" + random_hex();
  login_ = basic_login(user);
  as_proxy_ = user + "@127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Relay::~Relay() = default;  // jthread: stops and joins

void Relay::run(const std::stop_token& stop) {
  const FileDescriptor client = await_client(stop);
  listener_ = FileDescriptor();
  if (client.get() >= 0) carry(client.get(), upstream_.get(), stop);
  say_farewell(upstream_.get());
  upstream_ = FileDescriptor();
}

FileDescriptor Relay::await_client(const std::stop_token& stop) {
  struct Newcomer {
    FileDescriptor fd;
    std::string header;
  };
  const FileDescriptor stopped(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback wake(stop, [&stopped] { (void)eventfd_write(stopped.get(), 1); });
  std::vector<Newcomer> newcomers;
  while (!stop.stop_requested()) {
    std::vector<pollfd> watched{{stopped.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const Newcomer& it : newcomers) watched.push_back({it.fd.get(), POLLIN, 0});
    if (poll(watched.data(), watched.size(), -1) <= 0) continue;
    for (std::size_t i = newcomers.size(); i-- > 0;) {
      if (watched[i + 2].revents == 0) continue;
      Newcomer& it = newcomers[i];
      const bool goes_on = read_header_bytes(it.fd.get(), it.header);
      if (goes_on && !is_whole_header(it.header)) continue;
      // One send: paho reads the answer only as far as it has come.
      if (it.header.find(login_ + "\r\n") != std::string::npos &&
          write_all(it.fd.get(), "HTTP/1.1 200 OK\r\n\r\n", {stop, Steady::now() + 1s})) {
        const int on = 1;
        (void)setsockopt(it.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        return std::move(it.fd);
      }
      newcomers.erase(newcomers.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (watched[1].revents == 0) continue;
    FileDescriptor fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) {  // no descriptor left for now
      (void)sleep_for(stop, 100ms);
      continue;
    }
    if (newcomers.size() == max_newcomers) newcomers.erase(newcomers.begin());
    newcomers.push_back({std::move(fd), ""});
  }
  return FileDescriptor();
}

}  // namespace glimpse
