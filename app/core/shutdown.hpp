// Stopping: on SIGINT, SIGTERM or SIGHUP, on our own wish, and always in time.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace glimpse {

/// Whether this process has a controlling terminal, wherever its input and output may go.
[[nodiscard]] bool has_terminal();

/// Turns SIGINT, SIGTERM and SIGHUP into a stop, and guards the way out: a driver that does not come back
/// must not keep the program from ending. One at a time, made first thing in main. SIGHUP stays ignored where
/// nohup(1) has asked for that.
class Shutdown {
 public:
  /// From a stop to the end of the process, at most.
  static constexpr std::chrono::milliseconds grace{2500};

  explicit Shutdown(bool ends_on_hangup = has_terminal());
  /// The orderly end came in time.
  ~Shutdown();
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  /// Starts the end from within.
  void begin();
  /// What is left of the end may take `grace` at most, as after a signal.
  void limit();
  [[nodiscard]] bool by_signal() const;
  /// From here on a SIGHUP calls this, from another thread, and stops nothing; null: it stops again. It must
  /// not block. A process that has a terminal stops all the same: that is how it hears that the terminal has
  /// gone, and it would otherwise run on, unseen, for ever.
  void set_on_hangup(std::function<void()> on_hangup);
  /// What is done before the process ends without the orderly end; gives its exit status, which is 0 where
  /// none is set. Called from another thread.
  void set_last_words(std::function<int()> last_words);

 private:
  void watch();
  [[nodiscard]] bool hangup_is_taken();

  std::stop_source stop_;
  int ended_fd_, limit_fd_;  // eventfds: the orderly end came in time; limit()
  const bool ends_on_hangup_;
  mutable std::mutex mutex_;
  bool by_signal_ = false;
  std::function<int()> last_words_;
  std::function<void()> on_hangup_;
  std::jthread watcher_;
};

}  // namespace glimpse
