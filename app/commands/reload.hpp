// SIGHUP: the configuration file is read again, and what has changed in it is asked of the run.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/live_settings.hpp"

namespace glimpse {

class Bell;
class ServiceManager;
class Shutdown;

class Reload {
 public:
  /// From here on SIGHUP asks for a reload, and rings. `reread` gives the settings as file and command line
  /// have them now, or throws Error; empty: there is no file. All of these must outlive it.
  Reload(Shutdown& shutdown, ServiceManager& service, Settings settings, std::function<Settings()> reread,
         Bell& bell);
  ~Reload();
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  /// Begins what was asked for since the last one began, when that one is over; `control` ends before this
  /// does. What cannot change now is named in the log; a file or a change that is refused changes nothing.
  /// What somebody else has changed stays, but where the file says otherwise than when it was last read.
  void carry_out_if_asked(SettingsControl& control);

 private:
  void ask();
  void carry_out(SettingsControl& control);
  void answered(const std::vector<Refusal>& refusals, const Settings& fresh, const std::string& changed);
  void over();

  Shutdown& shutdown_;
  ServiceManager& service_;
  Bell& bell_;
  const std::function<Settings()> reread_;
  Settings file_;     // as it was last taken; of one reload at a time
  std::mutex mutex_;  // guards both below
  bool asked_ = false, in_progress_ = false;
};

}  // namespace glimpse
