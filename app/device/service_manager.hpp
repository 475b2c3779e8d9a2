// What systemd is told of us while it runs us as a service, by sd_notify(3).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/pulse.hpp"
#include "core/waiting.hpp"
#include "device/watchdog.hpp"

namespace glimpse {

/// Where the messages go, and whether systemd wants to be fed: what the tests put in systemd's place.
struct ServiceSeams {
  std::function<void(const std::string&)> notify;          // empty: nobody listens
  std::optional<Steady::duration> watchdog;                // fed at least this often; empty: no watchdog
  Steady::duration look = std::chrono::milliseconds(250);  // between two looks for the first frame
};

/// $NOTIFY_SOCKET and $WATCHDOG_USEC.
[[nodiscard]] ServiceSeams systemd_seams();

/// One thread tells of the start, of the state every 5 s, and feeds the watchdog while all that is watched
/// moves. Where nobody listens there is no thread and nothing is sent.
class ServiceManager {
 public:
  explicit ServiceManager(ServiceSeams seams = systemd_seams());
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  /// A step of it that lasts longer than half the watchdog's time is stuck.
  void watch(std::shared_ptr<const Pulse> pulse) { watchdog_.watch(std::move(pulse)); }

  /// The run, from its start to where its end begins; the watchdog is fed until the manager itself goes.
  class Running {
   public:
    explicit Running(ServiceManager& manager) : manager_(manager) {}
    ~Running() { manager_.stopping(); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    ServiceManager& manager_;
  };
  /// Ready is told when `works` is true for the first time; until then systemd is asked for more time as long
  /// as all that is watched moves. `status` is one line. Both are called from the thread. Once at most.
  [[nodiscard]] Running start(std::function<bool()> works, std::function<std::string()> status);
  /// For the time of a reload.
  void reloading();
  void reloaded();

 private:
  void stopping();
  void run(const std::stop_token& stop);
  void tell_status();

  const ServiceSeams seams_;
  Watchdog watchdog_;
  std::mutex mutex_;  // guards works_ and status_, and is held while they are called
  std::function<bool()> works_;
  std::function<std::string()> status_;
  std::atomic<bool> ready_{false}, stopping_{false};
  std::jthread thread_;
};

}  // namespace glimpse
