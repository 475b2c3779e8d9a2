// Takes connections, and lets in those that have said what they want: a few of each kind at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/file_descriptor.hpp"
#include "core/waiting.hpp"
#include "view/web/connection.hpp"
#include "view/web/request_head.hpp"

namespace glimpse {

/// One thread has all connections that have not said all of their request head, or that only have to be
/// closed; a request has a thread of its own while it is answered. All of it runs at a lower priority than
/// the rest of the program.
class Reception {
 public:
  static constexpr std::size_t max_head = 16 * 1024;           // bytes: request line and headers
  static constexpr std::size_t max_waiting = 256;              // connections; above it the oldest goes
  static constexpr std::chrono::seconds patience{5};           // for the whole request
  static constexpr std::chrono::seconds answer_patience{20};   // for a whole answer that is no stream
  static constexpr std::chrono::seconds farewell_patience{1};  // until the viewer has read the answer

  /// `listening`: a socket that does not block. `serve` answers one request, in a thread of its own.
  Reception(FileDescriptor listening, std::function<void(Connection&)> serve);
  /// Cuts every connection, and waits until each `serve` has come back.
  ~Reception();
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

 private:
  struct Waiting {
    FileDescriptor socket;
    std::string head;
    Steady::time_point until;
    bool leaving = false;  // answered: what it still says goes unread, so that it can read to the end
  };
  struct Serving {
    FileDescriptor socket;
    RequestKind kind;
    std::jthread thread;
    bool done = false;
  };

  void run(const std::stop_token& stop);
  void wait();
  void take_new();
  /// False: it is done with.
  [[nodiscard]] bool hear(Waiting& one);
  [[nodiscard]] bool let_in_or_refuse(Waiting& one);
  [[nodiscard]] bool see_off(Waiting& one, const std::string& last_words);
  void collect_done();

  const FileDescriptor listening_, woken_;
  const std::function<void(Connection&)> serve_;
  std::vector<Waiting> waiting_;
  std::vector<bool> speaking_;  // of waiting_: there is something to read
  bool new_ones_ = false;
  Steady::time_point no_descriptor_until_{};

  std::mutex mutex_;  // guards `done` of all below
  std::list<Serving> serving_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace glimpse
