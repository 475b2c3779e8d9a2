// SIGHUP: the configuration file is read again, and what can change while frames come does.
#pragma once

#include <functional>
#include <mutex>

#include "config/settings.hpp"
#include "core/live_settings.hpp"

namespace glimpse {

class ServiceManager;
class Shutdown;

/// The settings of a run that can change, as the pipeline reads them.
[[nodiscard]] LiveSettings live_settings(const Settings& settings);

class Reload {
 public:
  /// From here on SIGHUP asks for a reload. `reread` gives the settings as file and command line have them
  /// now, or throws Error; empty: there is no file. All of these must outlive it.
  Reload(Shutdown& shutdown, ServiceManager& service, Settings settings, std::function<Settings()> reread,
         SharedSettings& live);
  ~Reload();
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  /// While it lives, `wake` is called when a reload is asked for, from another thread; at once where one was
  /// asked for before.
  class Listener {
   public:
    Listener(Reload& reload, std::function<void()> wake) : reload_(reload) {
      reload_.listen(std::move(wake));
    }
    ~Listener() { reload_.listen(nullptr); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

   private:
    Reload& reload_;
  };

  /// Does what was asked for since the last call. What cannot change now is named in the log; a file that is
  /// refused changes nothing.
  void carry_out_if_asked();

 private:
  void listen(std::function<void()> wake);
  void ask();
  void carry_out();

  Shutdown& shutdown_;
  ServiceManager& service_;
  Settings running_;
  const std::function<Settings()> reread_;
  SharedSettings& live_;
  std::mutex mutex_;  // guards both below
  bool asked_ = false;
  std::function<void()> wake_;
};

}  // namespace glimpse
