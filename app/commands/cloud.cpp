#include "commands/cloud.hpp"

namespace glimpse {

Cloud::Cloud(const Settings::Aws& asked, const std::string& device, SettingsControl& control) {
  if (asked.shadow) shadow_.emplace(device, GLIMPSE_VERSION, control);
}

std::vector<Conversation*> Cloud::conversations() {
  std::vector<Conversation*> all;
  if (shadow_) all.push_back(&*shadow_);
  return all;
}

}  // namespace glimpse
