#include "core/child_process.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "core/error.hpp"

namespace glimpse {
namespace {

using Clock = std::chrono::steady_clock;

/// False when there is nothing to read before `end`.
bool readable(int fd, const std::optional<Clock::time_point>& end) {
  for (;;) {
    int wait_ms = -1;
    if (end) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*end - Clock::now()).count();
      wait_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
    }
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, wait_ms);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace

bool ChildProcess::Parent::wait_for_go() const {
  char go = 0;
  ssize_t got = 0;
  while ((got = ::read(go_, &go, 1)) < 0 && errno == EINTR) {
  }
  return got == 1;
}

void ChildProcess::Parent::tell(std::string line) const {
  line += '\n';
  for (std::size_t at = 0; at < line.size();) {
    const ssize_t written = ::write(reply_, line.data() + at, line.size() - at);
    if (written < 0 && errno != EINTR) return;  // nobody listens any more
    if (written > 0) at += static_cast<std::size_t>(written);
  }
}

ChildProcess::ChildProcess(const std::function<void(const Parent&)>& serve, const std::stop_token& stop) {
  int to_it[2], from_it[2];
  if (::pipe(to_it) != 0 || ::pipe(from_it) != 0 || (pid_ = ::fork()) < 0) {
    throw Error(ExitCode::internal, "cannot start a process to measure in: out of memory or of processes");
  }
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)std::signal(SIGINT, SIG_IGN);  // the terminal sends it to us, too: stopping is the parent's
    (void)std::signal(SIGTERM, SIG_DFL);
    ::close(to_it[1]);
    ::close(from_it[0]);
    serve(Parent(to_it[0], from_it[1]));
    ::_exit(0);
  }
  ::close(to_it[0]);
  ::close(from_it[1]);
  go_ = to_it[1];
  reply_ = from_it[0];
  kill_on_stop_.emplace(stop, [pid = pid_] { ::kill(pid, SIGKILL); });
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    reap();
  }
  ::close(go_);
  ::close(reply_);
}

int ChildProcess::reap() {
  kill_on_stop_.reset();  // once it is waited for, its number may be another's
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

int ChildProcess::died_of() {
  const int status = reap();
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

std::optional<std::string> ChildProcess::ask(std::optional<std::chrono::milliseconds> limit) {
  const auto end = limit ? std::optional(Clock::now() + *limit) : std::nullopt;
  if (::write(go_, "g", 1) != 1) return std::nullopt;
  std::string text;
  char buffer[4096];
  while (!text.ends_with('\n')) {
    if (!readable(reply_, end)) return std::nullopt;
    const ssize_t got = ::read(reply_, buffer, sizeof buffer);
    if (got == 0 || (got < 0 && errno != EINTR)) return std::nullopt;
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
  }
  text.pop_back();
  return text;
}

}  // namespace glimpse
