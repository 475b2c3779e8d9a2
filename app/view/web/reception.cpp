#include "view/web/reception.hpp"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include "view/web/priority.hpp"
#include "view/web/refusal.hpp"

namespace glimpse {
namespace {

// Of the kernel, for what a viewer has not read yet: two pictures, and no more. Linux doubles it (socket(7)).
constexpr int send_buffer = 32 * 1024;
constexpr int most_taken_at_once = 64;  // connections, before those that are there are heard again
constexpr auto longest_wait = std::chrono::milliseconds(500);
constexpr auto without_descriptors = std::chrono::milliseconds(200);

std::string full(RequestKind kind) {
  const std::string most = std::to_string(most_at_a_time[static_cast<std::size_t>(kind)]);
  switch (kind) {
    case RequestKind::pictures:
      return most + " viewers of /stream.mjpg are here already, and there is room for no more";
    case RequestKind::events:
      return most + " viewers of /api/events are here already, and there is room for no more";
    case RequestKind::change:
      return most + " changes wait already: ask again later";
    case RequestKind::other:
      break;
  }
  return most + " requests are being answered: ask again later";
}

void ring(int event) {
  const std::uint64_t one = 1;
  (void)!::write(event, &one, sizeof one);
}

}  // namespace

Reception::Reception(FileDescriptor listening, std::function<void(Connection&)> serve)
    : listening_(std::move(listening)),
      woken_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      serve_(std::move(serve)) {
  // Each answer has a thread: glibc gave up to 8 heaps a core to them, and kept what viewers left there.
  ::mallopt(M_ARENA_MAX, 2);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Reception::~Reception() {
  thread_.request_stop();
  ring(woken_.get());
  thread_.join();
  for (const Serving& one : serving_) ::shutdown(one.socket.get(), SHUT_RDWR);
  serving_.clear();  // joins
}

void Reception::run(const std::stop_token& stop) {
  lower_priority();
  while (!stop.stop_requested()) {
    wait();
    collect_done();
    const auto now = Steady::now();
    // Before new ones come, whose places among speaking_ are nobody's.
    std::vector<Waiting> staying;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      Waiting& one = waiting_[i];
      bool stays = i >= speaking_.size() || !speaking_[i] || hear(one);
      // Whoever still speaks is late, too.
      if (stays && now >= one.until)
        stays = !one.leaving && !one.head.empty() &&
                see_off(one, refusal(408, "the request was not there whole within 5 s"));
      if (stays) staying.push_back(std::move(one));
    }
    waiting_ = std::move(staying);
    if (new_ones_) take_new();
  }
}

void Reception::wait() {
  std::vector<pollfd> entries{{woken_.get(), POLLIN, 0}};
  const bool listens = Steady::now() >= no_descriptor_until_;
  entries.push_back({listens ? listening_.get() : -1, POLLIN, 0});
  for (const Waiting& one : waiting_) entries.push_back({one.socket.get(), POLLIN, 0});
  const bool idle = waiting_.empty() && listens;
  const int ready =
      ::poll(entries.data(), entries.size(), idle ? -1 : static_cast<int>(longest_wait.count()));
  std::uint64_t count = 0;
  if (entries[0].revents != 0) (void)!::read(woken_.get(), &count, sizeof count);
  new_ones_ = ready > 0 && entries[1].revents != 0;
  speaking_.assign(waiting_.size(), false);
  for (std::size_t i = 0; i < waiting_.size(); ++i) speaking_[i] = ready > 0 && entries[i + 2].revents != 0;
}

void Reception::take_new() {
  for (int i = 0; i < most_taken_at_once; ++i) {
    FileDescriptor socket(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.get() < 0) {
      // Out of descriptors or memory: the connection stays where it is, and asking at once would not help.
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        no_descriptor_until_ = Steady::now() + without_descriptors;
      return;
    }
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    if (waiting_.size() >= max_waiting) waiting_.erase(waiting_.begin());
    waiting_.push_back({std::move(socket), "", Steady::now() + patience});
  }
}

bool Reception::hear(Waiting& one) {
  char part[4096];
  const ssize_t got = ::recv(one.socket.get(), part, sizeof part, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) return false;
  if (one.leaving) return true;
  const std::size_t from = one.head.size() < 3 ? 0 : one.head.size() - 3;
  one.head.append(part, static_cast<std::size_t>(got));
  const std::size_t end = one.head.find("\r\n\r\n", from);
  if (end != std::string::npos && end + 4 <= max_head) return let_in_or_refuse(one);
  if (one.head.size() >= max_head)
    return see_off(one, refusal(431, "the request line and headers are larger than 16 KiB"));
  return true;
}

bool Reception::let_in_or_refuse(Waiting& one) {
  const std::size_t end = one.head.find("\r\n\r\n");
  if (const auto fault = fault_of(std::string_view(one.head).substr(0, end)))
    return see_off(one, refusal(fault->status, fault->error));
  const RequestKind kind = kind_of(std::string_view(one.head).substr(0, one.head.find('\r')));
  const auto count =
      std::count_if(serving_.begin(), serving_.end(), [&](const Serving& s) { return s.kind == kind; });
  if (static_cast<std::size_t>(count) >= most_at_a_time[static_cast<std::size_t>(kind)])
    return see_off(one, refusal(503, full(kind)));
  const bool streams = kind == RequestKind::pictures || kind == RequestKind::events;
  const auto answered_by = kind == RequestKind::change ? Steady::now() + 2 * answer_patience
                           : streams                   ? Steady::time_point::max()
                                                       : Steady::now() + answer_patience;
  Serving& serving = serving_.emplace_back(Serving{std::move(one.socket), kind, {}, false});
  try {
    std::string head =
        without_wishes(std::string_view(one.head).substr(0, end + 2)) + one.head.substr(end + 2);
    serving.thread = std::jthread([this, &serving, until = one.until, answered_by, head = std::move(head)] {
      {
        Connection connection(serving.socket.get(), head, until, answered_by);
        serve_(connection);
      }
      const std::lock_guard lock(mutex_);
      serving.done = true;
      ring(woken_.get());
    });
  } catch (const std::system_error&) {  // the machine gives no more threads
    one.socket = std::move(serving.socket);
    serving_.pop_back();
    return see_off(one, refusal(503, "this machine gives no thread to answer in: ask again later"));
  }
  return false;
}

bool Reception::see_off(Waiting& one, const std::string& last_words) {
  if (!last_words.empty())
    (void)!::send(one.socket.get(), last_words.data(), last_words.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  // A close with something unread would be a reset, which takes the answer from the viewer.
  if (::shutdown(one.socket.get(), SHUT_WR) != 0) return false;
  one.head.clear();
  one.head.shrink_to_fit();
  one.leaving = true;
  one.until = Steady::now() + farewell_patience;
  return true;
}

void Reception::collect_done() {
  const std::lock_guard lock(mutex_);
  for (auto each = serving_.begin(); each != serving_.end();) {
    if (!each->done) {
      ++each;
      continue;
    }
    Waiting leaving{std::move(each->socket), "", {}};
    if (see_off(leaving, "")) waiting_.push_back(std::move(leaving));
    each = serving_.erase(each);
  }
}

}  // namespace glimpse
