// Carries out what is asked of a run's settings, in a thread of its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/live_settings.hpp"

namespace glimpse {

struct ClassifierOptions;
class Bell;
class ModelSwitch;

/// Loaded and warm.
struct ReadyModel {
  ModelIdentity identity;
  /// It is in use from the next frame on. Comes back when the one before is freed, or at a stop.
  std::function<void(const std::stop_token&)> put_in;
};

/// Loads what is asked for, where absent as it is now. Nothing: that is what runs. Throws Error.
using LoadModel = std::function<std::optional<ReadyModel>(const std::optional<std::string>& model,
                                                          std::optional<bool> quantized)>;

/// Beside the one that `models` has in use. `options` say how: backend, threads, trust.
[[nodiscard]] LoadModel load_beside(ModelSwitch& models, const ClassifierOptions& options);

class RunControl : public SettingsControl {
 public:
  static constexpr std::size_t capacity = 8;  // changes that wait; those above are refused

  /// `model`: what runs now. `changed` rings when other settings hold. `live` and `changed` must outlive it.
  RunControl(SharedSettings& live, ModelIdentity model, LoadModel load, Bell& changed);
  /// Waits for a load in progress: that cannot be broken off.
  ~RunControl() override;
  RunControl(const RunControl&) = delete;
  RunControl& operator=(const RunControl&) = delete;

  [[nodiscard]] InForce in_force() const override;
  void ask(SettingsChange change, std::function<void(const std::vector<Refusal>&)> done) override;
  /// From here on nothing is carried out and no `done` is called. Does not wait for a load in progress.
  void end();

 private:
  struct Asked {
    SettingsChange change;
    std::function<void(const std::vector<Refusal>&)> done;
  };

  void run(const std::stop_token& stop);
  [[nodiscard]] std::vector<Refusal> carry_out(const SettingsChange& change, const std::stop_token& stop);

  SharedSettings& live_;
  const LoadModel load_;
  Bell& changed_;

  std::mutex answering_;      // held while a `done` is called
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable_any asked_;
  std::deque<Asked> waiting_;
  ModelIdentity model_;

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace glimpse
