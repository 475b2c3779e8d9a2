// The server-sent events: made once for all who read them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "view/web/newest.hpp"

namespace glimpse {

/// "event: NAME\ndata: …\n\n"; `data` is one line.
[[nodiscard]] std::string event_text(const std::string& name, const std::string& data);

/// Each gives one line of JSON. What throws costs the events of that moment.
struct EventSources {
  std::function<std::string()> settings, history, status;
  std::function<void()> sample;  // called once a second, with or without readers
};

class EventFeed {
 public:
  static constexpr std::chrono::milliseconds between_statuses{200};

  explicit EventFeed(EventSources sources);
  ~EventFeed();

  /// Somebody reads while this lives.
  class Reader {
   public:
    explicit Reader(EventFeed& feed) : feed_(feed) { ++feed_.readers_; }
    ~Reader() { --feed_.readers_; }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    /// What comes next in the stream: first the settings and the history. "" at `deadline`, or at a stop.
    [[nodiscard]] std::string next(Steady::time_point deadline, const std::stop_token& stop);

   private:
    EventFeed& feed_;
    bool begun_ = false;
    std::uint64_t seen_status_ = 0, seen_settings_ = 0;
    std::string told_settings_;  // as an event
  };
  [[nodiscard]] int readers() const { return readers_; }

 private:
  void run(const std::stop_token& stop);
  void make_events();

  const EventSources sources_;
  std::atomic<int> readers_{0};
  Newest<std::string> statuses_, settings_;  // as events
  std::string last_settings_;                // as an event; for the thread alone
  std::jthread thread_;                      // last: it uses all of the above
};

}  // namespace glimpse
