// Carries orders for models out: fetch, check, unpack, activate; or leave all as it was.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "core/live_settings.hpp"
#include "core/model_order.hpp"
#include "installation/download.hpp"
#include "installation/model_store.hpp"

namespace glimpse {

struct InstallerSettings {
  std::string ca_file;  // trusted beside the system's authorities; empty: these alone
  std::string proxy;    // as FetchRequest's
  std::chrono::milliseconds progress_every{10'000};  // each is a message to AWS, and a line of the log
  std::chrono::milliseconds stalled{30'000};
  RetryRules retry{};
};

class Installer final : public ModelInstaller {
 public:
  static constexpr std::uint64_t max_bytes = 1ull << 30;  // of the file, and again of what is unpacked of it
  static constexpr int max_activations = 3;               // of one file that end the program

  /// Both must outlive this; the store is its thread's alone from here on.
  Installer(ModelStore& store, SettingsControl& control, InstallerSettings settings = {});
  /// Takes about 1 s at most. What was in progress is left on disk, and goes on when it is ordered again.
  ~Installer() override;
  Installer(const Installer&) = delete;
  Installer& operator=(const Installer&) = delete;

  void install(ModelOrder order, Listener listener) override;
  void abandon() override;
  /// Ends what is in progress, as the destructor does, and waits for nothing. Thread-safe.
  void request_stop();

 private:
  struct Task {
    ModelOrder order;
    Listener listener;
    std::stop_source stop{};  // it is abandoned, or the program ends
  };

  void run(const std::stop_token& stop);
  void carry_out(const Task& task, const std::stop_token& stop);
  [[nodiscard]] InstallResult attempt(const Task& task, const std::stop_token& stop);
  /// Gives the folder with what the file has in it.
  [[nodiscard]] std::filesystem::path fetch(const Task& task);
  [[nodiscard]] bool form_for(const Task& task, const std::filesystem::path& folder) const;
  /// Why not; empty: it runs.
  [[nodiscard]] std::string switch_to(const ModelStore::Active& model, const std::stop_token& stop);

  ModelStore& store_;
  SettingsControl& control_;
  InstallerSettings settings_;

  std::mutex mutex_;  // guards the two below
  std::condition_variable_any wake_;
  std::shared_ptr<Task> waiting_,
      current_;  // at most one of each; a newer one takes the place of the waiting

  std::jthread thread_;
};

}  // namespace glimpse
