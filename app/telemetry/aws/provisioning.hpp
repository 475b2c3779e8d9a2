// AWS IoT's fleet provisioning by claim: a certificate that many devices share is exchanged for one of our
// own.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "device/identity_store.hpp"
#include "telemetry/link/mqtt_link.hpp"

namespace glimpse {

struct ProvisioningRequest {
  BrokerSettings broker;  // with the claim's certificate; `device` is what the thing is to be called
  std::string template_name;
  std::string outbox_state;  // the folder that the new configuration names; empty: none
};

struct ProvisioningSeams {
  /// No last will: a claim may publish nothing but its two questions.
  std::function<std::unique_ptr<Link>(const BrokerSettings&)> make_link = [](const BrokerSettings& broker) {
    return make_mqtt_link(broker, nullptr);
  };
  Steady::duration answer_limit = std::chrono::seconds(30);
  // How often, and how far apart, the new identity is tried: AWS needs a moment until it knows it everywhere.
  int proofs = 10;
  Steady::duration proof_pause = std::chrono::seconds(3);
};

/// The name by which the claim connects: the claim's policy demands its start, and a second client of the
/// same name would end our session.
[[nodiscard]] std::string new_claim_id();

/// Makes the key, has it certified and registered, connects with it, and completes the store, which then
/// holds device.key, device.crt and glimpse.json, a configuration for `run`. Goes on where an earlier attempt
/// was stopped or killed. Gives the thing's name. Throws Error: credentials where the claim, template or new
/// identity is refused, unavailable where nobody answers, bad_data for an answer that is none, configuration
/// as the store does, interrupted at a stop.
std::string provision(const ProvisioningRequest& request, IdentityStore& store, const std::stop_token& stop,
                      const ProvisioningSeams& seams = {});

}  // namespace glimpse
