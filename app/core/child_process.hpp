// A function in a process of its own: what it crashes, hangs in, uses up or sets for a whole process is its
// own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace glimpse {

class ChildProcess {
 public:
  /// The child's end of the talk.
  class Parent {
   public:
    Parent(int go, int reply) : go_(go), reply_(reply) {}
    /// False when the parent has gone.
    [[nodiscard]] bool wait_for_go() const;
    void tell(std::string line) const;  // without line breaks

   private:
    int go_, reply_;
  };

  /// Starts the process. Before any thread of LibTorch or OpenCV runs here: they do not survive a fork.
  /// `serve` answers each wait_for_go() with one tell(). A stop kills it.
  ChildProcess(const std::function<void(const Parent&)>& serve, const std::stop_token& stop);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Lets it go on and waits for its line. Nothing where it has died, or been killed, or did not answer in
  /// time.
  [[nodiscard]] std::optional<std::string> ask(std::optional<std::chrono::milliseconds> limit = {});

  /// The signal that it died of, 0 where it ended by itself. To be asked last, of one that has died: it waits
  /// for that.
  [[nodiscard]] int died_of();

 private:
  int reap();

  pid_t pid_ = 0;             // -1: it has been waited for
  int go_ = -1, reply_ = -1;  // pipes to it and from it
  std::optional<std::stop_callback<std::function<void()>>> kill_on_stop_;
};

}  // namespace glimpse
