// The way of a run's records to the broker, and what AWS IoT Core may say on it.
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
#include "telemetry/outbox/outbox.hpp"
#include "telemetry/publisher.hpp"

namespace glimpse {

class ServiceManager;

/// Checks what is said of the broker and opens the outbox, which another process may have. `shown` gets each
/// record once it is safe there. Empty without a broker. Throws Error.
[[nodiscard]] std::unique_ptr<Outbox> take_outbox(const Settings& settings, const std::string& device,
                                                  Sink* shown);

/// Without an outbox it does nothing.
class Delivery {
 public:
  /// `installed`: what jobs install to; null: no jobs. All that is given must outlive it.
  Delivery(const Settings& settings, const std::string& device, const std::string& boot, Outbox* outbox,
           SettingsControl& control, ModelStore* installed);

  [[nodiscard]] std::optional<PublisherStatus> status() const;
  /// Gives the watchdog its threads to look at.
  void watched_by(ServiceManager& service) const;
  /// Begins the end of a job in progress, for which the destructor waits about 1 s at most.
  void request_stop();
  /// Sends what waits: for 10 s at most, 0.5 s where somebody wants us gone.
  void finish(bool wanted_gone);

 private:
  Outbox* const outbox_;
  std::optional<Shadow> shadow_;
  std::unique_ptr<Installer> installer_;
  std::optional<Jobs> jobs_;  // with installer_
  std::optional<Publisher> publisher_;
};

}  // namespace glimpse
