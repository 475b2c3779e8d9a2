// What AWS IoT Core may say to a run, as its settings ask for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/live_settings.hpp"
#include "telemetry/aws/shadow.hpp"
#include "telemetry/conversation.hpp"

namespace glimpse {

class Cloud {
 public:
  /// `control` must outlive it.
  Cloud(const Settings::Aws& asked, const std::string& device, SettingsControl& control);
  [[nodiscard]] std::vector<Conversation*> conversations();

 private:
  std::optional<Shadow> shadow_;
};

}  // namespace glimpse
