#include "view/terminal.hpp"

#include <poll.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace glimpse {
namespace {

// What a crash can look like; SIGQUIT is Ctrl-\.
constexpr int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT};
constexpr int count_of_crashes = sizeof crashes / sizeof *crashes;

// Signal handlers have no object to look at.
struct sigaction before_us[count_of_crashes];
std::atomic<bool> guarded{false}, left{false}, hushed{false};

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool terminal_takes_output() {
  pollfd terminal{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&terminal, 1, 0) == 1 && (terminal.revents & POLLOUT) != 0;
}

bool in_foreground() {
  const pid_t foreground = ::tcgetpgrp(STDOUT_FILENO);
  return foreground < 0 || foreground == ::getpgrp();  // < 0: a terminal, but not the one we are started from
}

/// What is set from the background would be the shell's, and asking for it would stop us (SIGTTOU).
void give_echo_back() {
  termios terminal{};
  if (!hushed.exchange(false) || !in_foreground() || ::tcgetattr(STDOUT_FILENO, &terminal) != 0) return;
  terminal.c_lflag |= ECHO;
  ::tcsetattr(STDOUT_FILENO, TCSANOW, &terminal);
}

/// What is typed would stand in the screen, and Enter would move it.
void take_echo() {
  termios terminal{};
  if (::tcgetattr(STDOUT_FILENO, &terminal) != 0 || (terminal.c_lflag & ECHO) == 0) return;
  terminal.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(STDOUT_FILENO, TCSANOW, &terminal);
  hushed = true;
  if (left) give_echo_back();  // left meanwhile, by another thread
}

void clean() {
  give_echo_back();
  // Cursor to the line's start, the rest of the screen erased, plain text, wrapping, cursor, no drawing held
  // back.
  static constexpr char text[] = "\r\x1b[J\x1b[0m\x1b[?7h\x1b[?25h\x1b[?2026l";
  if (terminal_takes_output()) (void)!::write(STDOUT_FILENO, text, sizeof text - 1);
}

void on_crash(int signal) {
  TerminalGuard::leave();
  for (int i = 0; i < count_of_crashes; ++i) {
    if (crashes[i] == signal) sigaction(signal, &before_us[i], nullptr);
  }
  ::raise(signal);  // comes once this handler has ended, to whom it would have gone without us
}

void on_stop(int signal);

void handle_stop() {
  struct sigaction action {};
  action.sa_handler = on_stop;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTSTP, &action, nullptr);
}

/// Ctrl-Z: leaves the terminal clean, stops as it would have without us, and goes on after `fg`.
void on_stop(int signal) {
  const int saved = errno;
  const bool was_left = left.exchange(true);
  if (!was_left) clean();
  struct sigaction stop {};
  stop.sa_handler = SIG_DFL;
  sigaction(signal, &stop, nullptr);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  ::raise(signal);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);  // here we are stopped
  handle_stop();
  left = was_left;
  errno = saved;
}

bool is_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

TerminalSize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

TerminalStyle terminal_style() {
  // Their order: POSIX.1-2017, Base Definitions, 8.2.
  std::string_view locale;
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (locale.empty()) locale = variable(name);
  }
  TerminalStyle style;
  const std::size_t dot = locale.find('.');
  const char* const charset = dot == std::string_view::npos ? "" : locale.data() + dot + 1;
  style.utf8 = ::strncasecmp(charset, "utf-8", 5) == 0 || ::strncasecmp(charset, "utf8", 4) == 0;
  style.blocks = style.utf8 && variable("TERM") != "linux";
  style.colour = variable("NO_COLOR").empty();
  return style;
}

bool is_live_terminal() {
  const std::string_view kind = variable("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && !kind.empty() && kind != "dumb";
}

TerminalGuard::TerminalGuard() {
  left = false;
  guarded = true;
  struct sigaction action {};
  action.sa_handler = on_crash;
  for (int i = 0; i < count_of_crashes; ++i) sigaction(crashes[i], &action, &before_us[i]);
  if (!is_ignored(SIGTSTP)) handle_stop();
}

TerminalGuard::~TerminalGuard() {
  for (int i = 0; i < count_of_crashes; ++i) sigaction(crashes[i], &before_us[i], nullptr);
  if (!is_ignored(SIGTSTP)) ::signal(SIGTSTP, SIG_DFL);
  guarded = false;
  give_echo_back();
}

bool TerminalGuard::take() {
  if (left || !in_foreground()) return false;
  take_echo();
  return !left;
}

void TerminalGuard::leave() {
  if (guarded && !left.exchange(true)) clean();
}

}  // namespace glimpse
