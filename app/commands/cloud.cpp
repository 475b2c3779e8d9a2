#include "commands/cloud.hpp"

namespace glimpse {

Cloud::Cloud(const Settings& settings, const std::string& device, SettingsControl& control,
             ModelStore* installed) {
  if (settings.aws.shadow) shadow_.emplace(device, GLIMPSE_VERSION, control);
  if (installed == nullptr) return;
  InstallerSettings installing;
  installing.ca_file = settings.telemetry.ca;
  installing.proxy = settings.telemetry.proxy;
  installer_ = std::make_unique<Installer>(*installed, control, installing);
  jobs_.emplace(device, *installer_);
}

std::vector<Conversation*> Cloud::conversations() {
  std::vector<Conversation*> all;
  if (shadow_) all.push_back(&*shadow_);
  if (jobs_) all.push_back(&*jobs_);
  return all;
}

void Cloud::request_stop() {
  if (installer_) installer_->request_stop();
}

}  // namespace glimpse
