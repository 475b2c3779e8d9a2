// One MQTT session with a broker: the narrow waist between the publisher and a vendor's library.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/waiting.hpp"
#include "device/credential_store.hpp"
#include "telemetry/conversation.hpp"
#include "telemetry/link/broker_settings.hpp"
#include "telemetry/link/link_fault.hpp"
#include "telemetry/link/tcp_connect.hpp"
#include "telemetry/link/wall_clock.hpp"

namespace glimpse {

struct LinkEvents {
  std::function<void(std::uint64_t id)> acknowledged;  // the broker's PUBACK for publish(id, ...)
  std::function<void(const LinkFault&)> lost;          // at most once for each connect() that succeeded
  std::function<void()> waiting{};  // from connect() itself, again and again while it waits beyond its limit
  std::function<void(std::uint64_t id, bool granted)>
      subscribed{};                                 // the broker's SUBACK for subscribe(id, ...)
  std::function<void(Message message)> received{};  // of a subscription
};

/// Used by one thread. Events come from other threads, never after disconnect() has returned, and must
/// neither block nor call the link.
class Link {
 public:
  virtual ~Link() = default;
  /// Waits until the broker has accepted us (nullopt) or tells why not. Ends within about 1 s of a requested
  /// stop.
  [[nodiscard]] virtual std::optional<LinkFault> connect(const std::stop_token& stop, Steady::duration limit,
                                                         LinkEvents events) = 0;
  /// Hands over one message, QoS 1. False when the session is gone.
  [[nodiscard]] virtual bool publish(std::uint64_t id, const std::string& topic, const std::string& payload,
                                     bool retained) = 0;
  /// Asks for the messages of a topic filter, QoS 1. False when the session is gone.
  [[nodiscard]] virtual bool subscribe(std::uint64_t id, const std::string& filter) = 0;
  /// Ends the session, with MQTT's DISCONNECT where there is one. Allowed in any state; takes about 1 s at
  /// most.
  virtual void disconnect() = 0;
  /// Whether key or certificates were renewed: connect() then uses the new ones, a session in progress goes
  /// on with the old. Cheap enough for every few seconds.
  [[nodiscard]] virtual CredentialNews refresh_credentials() { return {}; }
};

/// What the tests put in the place of clock and patience.
struct LinkSeams {
  WallClock now = std::chrono::system_clock::now;
  Steady::duration clock_step = std::chrono::seconds(1);  // between two looks at a clock that is not set
  LinkLimits limits;
};

/// MQTT 3.1.1 over paho, which is transport only here: no persistence, no offline buffer, no automatic
/// reconnect, clean session. `will` gives, at each connect(), what the broker publishes, retained, on
/// status_topic() when we vanish; null: nothing.
/// With TLS and a clock that is not set, the first connect() says so and those after it wait, beyond their
/// limit, until it is set: so the first attempt comes within a second of that, whatever the back-off.
/// Throws Error(usage) for a bad URI, Error(credentials) as CredentialStore does.
[[nodiscard]] std::unique_ptr<Link> make_mqtt_link(const BrokerSettings& settings,
                                                   std::function<std::string()> will, LinkSeams seams = {});

}  // namespace glimpse
