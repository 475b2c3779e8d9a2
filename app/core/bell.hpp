// How one thread is told by others that there is something to look at.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

namespace glimpse {

/// One listener at a time; a ring that nobody heard is heard by the next one.
class Bell {
 public:
  /// From any thread.
  void ring() {
    const std::lock_guard lock(mutex_);
    heard_ ? heard_() : void(unheard_ = true);
  }

  /// While it lives, `heard` is called for each ring, in the thread that rings. It must not block.
  class Listener {
   public:
    Listener(Bell& bell, std::function<void()> heard) : bell_(bell) { bell_.listen(std::move(heard)); }
    ~Listener() { bell_.listen(nullptr); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

   private:
    Bell& bell_;
  };

 private:
  void listen(std::function<void()> heard) {
    const std::lock_guard lock(mutex_);
    heard_ = std::move(heard);
    if (heard_ && std::exchange(unheard_, false)) heard_();
  }

  std::mutex mutex_;  // guards both below
  std::function<void()> heard_;
  bool unheard_ = false;
};

}  // namespace glimpse
