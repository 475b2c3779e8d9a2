#include "commands/reload.hpp"

#include <spdlog/spdlog.h>

#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/shutdown.hpp"
#include "device/service_manager.hpp"

namespace glimpse {

LiveSettings live_settings(const Settings& settings) {
  const Settings::Telemetry& telemetry = settings.telemetry;
  return {telemetry.interval,
          {telemetry.event_hold, telemetry.event_confidence, telemetry.events_per_hour},
          settings.model.top_k};
}

Reload::Reload(Shutdown& shutdown, ServiceManager& service, Settings settings,
               std::function<Settings()> reread, SharedSettings& live)
    : shutdown_(shutdown),
      service_(service),
      running_(std::move(settings)),
      reread_(std::move(reread)),
      live_(live) {
  shutdown_.set_on_hangup([this] { ask(); });
}

Reload::~Reload() {
  shutdown_.set_on_hangup(nullptr);
}

void Reload::listen(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
  if (wake_ && asked_) wake_();
}

void Reload::ask() {
  const std::lock_guard lock(mutex_);
  asked_ = true;
  if (wake_) wake_();
}

void Reload::carry_out_if_asked() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(asked_, false)) return;
  }
  service_.reloading();
  carry_out();
  service_.reloaded();
}

void Reload::carry_out() {
  if (!reread_) {
    spdlog::warn("reload: there is no configuration file to read again: it was started without --config");
    return;
  }
  Settings fresh;
  try {
    fresh = reread_();
  } catch (const Error& error) {
    spdlog::error("reload: nothing changes: {}", error.what());
    return;
  }
  std::string changed;
  for (const Change& change : changes(running_, fresh)) {
    if (change.live) {
      changed += (changed.empty() ? "" : ", ") + change.path + " is " + change.value;
    } else {
      spdlog::warn("reload: {} changes at the next start: systemctl restart glimpse", change.path);
    }
  }
  spdlog::info("reload: {}", changed.empty() ? "nothing changes now" : changed);
  live_.set(live_settings(fresh));
  // What runs with the old value still differs at the next reload, and is named again.
  running_.telemetry.interval = fresh.telemetry.interval;
  running_.telemetry.event_hold = fresh.telemetry.event_hold;
  running_.telemetry.event_confidence = fresh.telemetry.event_confidence;
  running_.telemetry.events_per_hour = fresh.telemetry.events_per_hour;
  running_.model.top_k = fresh.model.top_k;
}

}  // namespace glimpse
