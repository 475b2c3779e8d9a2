// Stopping: on SIGINT or SIGTERM, on our own wish, and always in time.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace glimpse {

/// Turns SIGINT and SIGTERM into a stop, and guards the way out: a driver that does not come back must not
/// keep the program from ending. One at a time, made first thing in main.
class Shutdown {
 public:
  /// From a stop to the end of the process, at most.
  static constexpr std::chrono::milliseconds grace{2500};

  Shutdown();
  /// The orderly end came in time.
  ~Shutdown();
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  /// Starts the end from within.
  void begin();
  [[nodiscard]] bool by_signal() const;
  /// What is done before the process ends without the orderly end; gives its exit status, which is 0 where
  /// none is set. Called from another thread.
  void set_last_words(std::function<int()> last_words);

 private:
  void watch();

  std::stop_source stop_;
  int ended_fd_;  // eventfd: the orderly end came in time
  mutable std::mutex mutex_;
  bool by_signal_ = false;
  std::function<int()> last_words_;
  std::jthread watcher_;
};

}  // namespace glimpse
