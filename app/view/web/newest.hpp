// One thread makes something again and again, and several look at the newest of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>

#include "core/waiting.hpp"

namespace glimpse {

/// Holds one T, shared by all who look at it and replaced whole: who is slow misses some, and keeps at most
/// the one that he is looking at.
template <class T>
class Newest {
 public:
  struct Numbered {
    std::uint64_t number = 0;        // from 1, rising by 1
    std::shared_ptr<const T> value;  // empty: nothing new
  };

  void put(std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    ++number_;
    changed_.notify_all();
  }
  /// Frees it where nobody looks at it.
  void forget() {
    const std::lock_guard lock(mutex_);
    value_.reset();
  }
  /// Of all that was put, how many.
  [[nodiscard]] std::uint64_t number() const {
    const std::lock_guard lock(mutex_);
    return number_;
  }

  /// The newest, once it has another number than `seen`. Empty at `deadline`, or when a stop is requested.
  [[nodiscard]] Numbered after(std::uint64_t seen, Steady::time_point deadline, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const bool is_new =
        changed_.wait_until(lock, stop, deadline, [&] { return number_ > seen && value_ != nullptr; });
    return is_new ? Numbered{number_, value_} : Numbered{seen, nullptr};
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::shared_ptr<const T> value_;
  std::uint64_t number_ = 0;
};

}  // namespace glimpse
