// The settings that can change between two frames of a run: those that settings_table() marks as live.
#pragma once

#include <chrono>
#include <mutex>

namespace glimpse {

/// When a change of the top-1 has a record at once: see ChangeDetector and HourlyCap.
struct EventRule {
  std::chrono::milliseconds hold{0};
  double confidence = 0;
  int per_hour = 0;  // 0: never
  bool operator==(const EventRule&) const = default;
};

struct LiveSettings {
  std::chrono::milliseconds interval{1000};  // 0: a record for every frame, and no events
  EventRule events{};
  int top_k = 10;
  bool operator==(const LiveSettings&) const = default;
};

/// One set of them for all threads, taken and replaced whole.
class SharedSettings {
 public:
  explicit SharedSettings(const LiveSettings& settings) : settings_(settings) {}
  [[nodiscard]] LiveSettings get() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }
  void set(const LiveSettings& settings) {
    const std::lock_guard lock(mutex_);
    settings_ = settings;
  }

 private:
  mutable std::mutex mutex_;
  LiveSettings settings_;
};

}  // namespace glimpse
