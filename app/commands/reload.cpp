#include "commands/reload.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "config/live_change.hpp"
#include "core/bell.hpp"
#include "core/error.hpp"
#include "core/shutdown.hpp"
#include "device/service_manager.hpp"

namespace glimpse {

Reload::Reload(Shutdown& shutdown, ServiceManager& service, Settings settings,
               std::function<Settings()> reread, Bell& bell)
    : shutdown_(shutdown),
      service_(service),
      bell_(bell),
      reread_(std::move(reread)),
      file_(std::move(settings)) {
  shutdown_.set_on_hangup([this] { ask(); });
}

Reload::~Reload() {
  shutdown_.set_on_hangup(nullptr);
}

void Reload::ask() {
  {
    const std::lock_guard lock(mutex_);
    asked_ = true;
  }
  bell_.ring();
}

void Reload::carry_out_if_asked(SettingsControl& control) {
  {
    const std::lock_guard lock(mutex_);
    if (!asked_ || in_progress_) return;
    asked_ = false;
    in_progress_ = true;
  }
  service_.reloading();
  carry_out(control);
}

void Reload::carry_out(SettingsControl& control) {
  if (!reread_) {
    spdlog::warn("reload: there is no configuration file to read again: it was started without --config");
    return over();
  }
  Settings fresh;
  try {
    fresh = reread_();
  } catch (const Error& error) {
    spdlog::error("reload: nothing changes: {}", error.what());
    return over();
  }
  std::string changed;
  for (const Change& change : changes(file_, fresh)) {
    if (change.live) {
      changed += (changed.empty() ? "" : ", ") + change.path + " is " + change.value;
    } else {
      spdlog::warn("reload: {} changes at the next start: systemctl restart glimpse", change.path);
    }
  }
  const SettingsChange asked = live_change(file_, fresh);
  if (is_empty(asked)) {
    spdlog::info("reload: nothing changes now");
    return over();
  }
  control.ask(asked, [this, fresh, changed](const auto& refusals) { answered(refusals, fresh, changed); });
}

void Reload::answered(const std::vector<Refusal>& refusals, const Settings& fresh,
                      const std::string& changed) {
  for (const Refusal& refusal : refusals) {
    spdlog::error("reload: nothing changes: {}{}", refusal.setting.empty() ? "" : refusal.setting + ": ",
                  refusal.reason);
  }
  if (refusals.empty()) {
    spdlog::info("reload: {}", changed);
    take_live(fresh, file_);  // what waits for the next start still differs, and is named again
  }
  over();
}

void Reload::over() {
  service_.reloaded();
  {
    const std::lock_guard lock(mutex_);
    in_progress_ = false;
  }
  bell_.ring();  // another may have been asked for meanwhile
}

}  // namespace glimpse
