#include "commands/delivery.hpp"

#include "commands/run_settings.hpp"
#include "device/service_manager.hpp"

namespace glimpse {
namespace {

constexpr Steady::duration patience_at_end = std::chrono::seconds(10);
constexpr Steady::duration patience_at_stop = std::chrono::milliseconds(500);

std::unique_ptr<Installer> make_installer(const Settings& settings, ModelStore& installed,
                                          SettingsControl& control) {
  InstallerSettings installing;
  installing.ca_file = settings.telemetry.ca;
  installing.proxy = settings.telemetry.proxy;
  return std::make_unique<Installer>(installed, control, installing);
}

}  // namespace

std::unique_ptr<Outbox> take_outbox(const Settings& settings, const std::string& device, Sink* shown) {
  if (settings.telemetry.broker.empty()) {
    refuse_aws_without_broker(settings.aws);
    return nullptr;
  }
  validate_broker(broker_settings(settings, device));
  return std::make_unique<Outbox>(outbox_settings(settings.outbox, device), shown);
}

Delivery::Delivery(const Settings& settings, const std::string& device, const std::string& boot,
                   Outbox* outbox, SettingsControl& control, ModelStore* installed)
    : outbox_(outbox) {
  if (outbox == nullptr) return;
  std::vector<Conversation*> conversations;
  if (settings.aws.shadow) conversations.push_back(&shadow_.emplace(device, GLIMPSE_VERSION, control));
  if (installed != nullptr) {
    installer_ = make_installer(settings, *installed, control);
    conversations.push_back(&jobs_.emplace(device, *installer_));
  }
  const auto model = [&control] { return control.in_force().model; };
  publisher_.emplace(broker_settings(settings, device), StatusMessage{GLIMPSE_VERSION, device, boot, model},
                     *outbox, std::move(conversations));
}

std::optional<PublisherStatus> Delivery::status() const {
  return publisher_ ? std::optional(publisher_->status()) : std::nullopt;
}

void Delivery::watched_by(ServiceManager& service) const {
  if (outbox_ != nullptr) service.watch(outbox_->pulse());
  if (publisher_) service.watch(publisher_->pulse());
}

void Delivery::request_stop() {
  if (installer_) installer_->request_stop();
}

void Delivery::finish(bool wanted_gone) {
  if (outbox_ == nullptr) return;
  const auto patience = wanted_gone ? patience_at_stop : patience_at_end;
  outbox_->flush(patience);
  publisher_->finish(patience);
}

}  // namespace glimpse
