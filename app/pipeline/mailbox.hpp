// The bounded queue between two threads.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>

namespace glimpse {

/// Holds at most `capacity` items. When full, put() waits or overwrites the oldest item, as chosen.
template <class T>
class Mailbox {
 public:
  enum class WhenFull { wait, overwrite_oldest };

  Mailbox(std::size_t capacity, WhenFull when_full) : capacity_(capacity), when_full_(when_full) {}

  enum class Put { done, overwrote, stopped };
  /// `stopped` when `stop` was requested while waiting, or the mailbox is closed: the item is not taken.
  [[nodiscard]] Put put(T item, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (when_full_ == WhenFull::wait) {
      changed_.wait(lock, stop, [&] { return closed_ || items_.size() < capacity_; });
    }
    if (closed_ || stop.stop_requested()) return Put::stopped;
    const bool full = items_.size() >= capacity_;
    if (full) items_.pop_front();
    items_.push_back(std::move(item));
    changed_.notify_all();
    return full ? Put::overwrote : Put::done;
  }

  /// The oldest item; waits for one. Nothing when `stop` is requested, or when the mailbox is closed and
  /// empty.
  [[nodiscard]] std::optional<T> take(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return closed_ || !items_.empty(); });
    if (stop.stop_requested() || items_.empty()) return std::nullopt;
    std::optional<T> item = std::move(items_.front());
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

  /// No more items: what is inside can still be taken.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  const std::size_t capacity_;
  const WhenFull when_full_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace glimpse
