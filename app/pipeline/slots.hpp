// Numbered places that one owner has at a time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace glimpse {

/// `count` slots, numbered from 0. When none is free, take() waits. Outlives every Slot that it gives.
class Slots {
 public:
  explicit Slots(std::size_t count) {
    for (std::size_t number = count; number > 0; --number) free_.push_back(number - 1);
  }

  /// One slot, as long as this lives: its end gives the slot back.
  class Slot {
   public:
    Slot(Slot&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), number_(other.number_) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (owner_ != nullptr) owner_->give_back(number_);
    }
    [[nodiscard]] std::size_t number() const { return number_; }

   private:
    friend class Slots;
    Slot(Slots& owner, std::size_t number) : owner_(&owner), number_(number) {}
    Slots* owner_;
    std::size_t number_;
  };

  /// The one that came back last, whose memory is the warmest. Nothing when `stop` is requested.
  [[nodiscard]] std::optional<Slot> take(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return !free_.empty(); });
    if (stop.stop_requested()) return std::nullopt;
    const std::size_t number = free_.back();
    free_.pop_back();
    return Slot(*this, number);
  }

 private:
  void give_back(std::size_t number) {
    const std::lock_guard lock(mutex_);
    free_.push_back(number);  // there was room for all of them at the start: allocates nothing
    changed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::size_t> free_;
};

}  // namespace glimpse
