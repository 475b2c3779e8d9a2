// What AWS IoT Core may say to a run, as its settings ask for it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/live_settings.hpp"
#include "installation/installer.hpp"
#include "telemetry/aws/jobs.hpp"
#include "telemetry/aws/shadow.hpp"
#include "telemetry/conversation.hpp"

namespace glimpse {

class Cloud {
 public:
  /// `control` and `installed`, which jobs need, must outlive it.
  Cloud(const Settings& settings, const std::string& device, SettingsControl& control, ModelStore* installed);
  [[nodiscard]] std::vector<Conversation*> conversations();
  /// Begins the end of what is in progress, for which the destructor waits about 1 s at most.
  void request_stop();

 private:
  std::optional<Shadow> shadow_;
  std::unique_ptr<Installer> installer_;
  std::optional<Jobs> jobs_;  // with installer_
};

}  // namespace glimpse
