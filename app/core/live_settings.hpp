// The settings that can change between two frames of a run: those that settings_table() marks as live.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/model_identity.hpp"

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

/// What somebody wants otherwise: whoever reads the configuration again, the device shadow, a job, the web
/// page. What is absent stays as it is.
struct SettingsChange {
  std::optional<std::string> model;  // a name, or a folder
  std::optional<bool> quantized;
  std::optional<std::chrono::milliseconds> interval;
  std::optional<EventRule> events;
  std::optional<int> top_k;
};

/// Why a change is refused.
struct Refusal {
  std::string setting;  // "model", "quantized", "interval_s", "top_k"...; empty: none in particular
  std::string reason;   // one line
};

/// What runs now.
struct InForce {
  LiveSettings settings;
  ModelIdentity model;
};

/// The one place where a run's settings change. Thread-safe.
class SettingsControl {
 public:
  virtual ~SettingsControl() = default;
  [[nodiscard]] virtual InForce in_force() const = 0;
  /// Comes back at once. The change is checked, its model loaded and warmed beside the one in use, and then
  /// all of it holds from the next frame on; or it is refused, and nothing changes. Then `done` is called
  /// from the control's own thread, with no refusals where it was carried out. Changes are carried out one
  /// after the other, in the order they were asked for. Where too many wait already it is refused at once:
  /// `done` is called before this comes back. A run that ends calls none any more.
  virtual void ask(SettingsChange change, std::function<void(const std::vector<Refusal>&)> done) = 0;
};

}  // namespace glimpse
