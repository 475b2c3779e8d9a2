#include "telemetry/link/mqtt_link.hpp"

#include <mqtt/async_client.h>

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <utility>

#include "telemetry/link/paho_session.hpp"
#include "telemetry/link/relay.hpp"
#include "telemetry/link/tls_check.hpp"

namespace glimpse {
namespace {

using namespace std::chrono_literals;

constexpr int qos = 1;
constexpr int max_in_flight = 20;

std::optional<Proxy> proxy_of(const BrokerSettings& settings) {
  if (settings.proxy.empty()) return std::nullopt;
  return parse_proxy_uri(settings.proxy);
}

class PahoLink final : public Link {
 public:
  PahoLink(const BrokerSettings& settings, std::function<std::string()> will, LinkSeams seams)
      : settings_(settings),
        endpoint_(parse_broker_uri(settings.uri)),
        will_(std::move(will)),
        seams_(std::move(seams)),
        connector_(proxy_of(settings), seams_.limits) {
    if (endpoint_.tls) store_.emplace(settings_.credentials);
  }
  ~PahoLink() override { PahoLink::disconnect(); }

  std::optional<LinkFault> connect(const std::stop_token& stop, Steady::duration limit,
                                   LinkEvents events) override {
    disconnect();
    if (store_) in_use_ = store_->current();
    if (auto fault = await_clock(stop, events.waiting)) return fault;
    const Patience patience{stop, Steady::now() + limit};
    // Our own handshake goes first. It says why a way is closed, and it can be interrupted, which paho's
    // cannot: so paho is only sent where the way was free a moment ago. The price is a second handshake for
    // each session.
    if (auto fault = check_way_to_broker(connector_, endpoint_, *in_use_, patience)) return fault;

    auto connected = connector_.connect(endpoint_, patience);
    if (auto* fault = std::get_if<LinkFault>(&connected)) return std::move(*fault);
    session_ = std::make_shared<PahoSession>(std::move(events), endpoint_.text());
    try {
      relay_ = std::make_unique<Relay>(std::move(std::get<FileDescriptor>(connected)));
      const std::string scheme = endpoint_.tls ? "ssl://" : "tcp://";
      client_ = std::make_unique<mqtt::async_client>(scheme + endpoint_.text(), settings_.device);
      client_->set_connection_lost_handler([session = session_](const std::string&) { session->lost(); });
      client_->set_message_callback([session = session_](const mqtt::const_message_ptr& message) {
        if (message) session->received(*message);
      });
      client_->connect(options(), nullptr, *session_);
    } catch (const mqtt::exception& error) {
      disconnect();
      return refusal(error.get_return_code(), endpoint_, settings_.device);
    } catch (const std::system_error& error) {
      disconnect();
      return LinkFault{LinkProblem::unreachable, std::string("no way to ") + endpoint_.text() +
                                                     " from this process (" + error.what() +
                                                     "); check its limits on open files and threads"};
    }
    const auto outcome = session_->wait(patience.at_most(seams_.limits.mqtt));
    if (outcome == MQTTASYNC_SUCCESS) return std::nullopt;
    disconnect();
    if (outcome) return refusal(*outcome, endpoint_, settings_.device);
    return LinkFault{LinkProblem::timed_out,
                     "the broker at " + endpoint_.text() +
                         " takes the connection but does not answer in MQTT; check that it is "
                         "a broker's port"};
  }

  bool publish(std::uint64_t id, const std::string& topic, const std::string& payload,
               bool retained) override {
    return hand_over(
        [&] { client_->publish(mqtt::make_message(topic, payload, qos, retained), context(id), *session_); });
  }

  bool subscribe(std::uint64_t id, const std::string& filter) override {
    return hand_over([&] { client_->subscribe(filter, qos, context(id), *session_); });
  }

  void disconnect() override {
    if (session_) session_->mute();
    // Paho's destroy sends DISCONNECT, drops what is pending and, holding the lock under which it calls back,
    // forgets the client: unlike its disconnect(), that is allowed while it connects. One client for each
    // session, then.
    client_.reset();
    relay_.reset();
    session_.reset();
  }

  CredentialNews refresh_credentials() override { return store_ ? store_->refresh() : CredentialNews{}; }

 private:
  static void* context(std::uint64_t id) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(id)); }

  template <class Call>
  [[nodiscard]] bool hand_over(const Call& call) {
    if (!client_) return false;
    try {
      call();
      return true;
    } catch (const mqtt::exception&) {
      return false;
    }
  }

  [[nodiscard]] std::optional<LinkFault> await_clock(const std::stop_token& stop,
                                                     const std::function<void()>& waiting) {
    if (!endpoint_.tls) return std::nullopt;
    auto fault = clock_fault(seams_.now());
    const bool said_before = std::exchange(clock_fault_said_, fault.has_value());
    if (!fault || !said_before) return fault;
    const auto look = [&] {
      if (waiting) waiting();
      return seams_.now();
    };
    if (!wait_for_clock(stop, look, seams_.clock_step)) return fault;
    clock_fault_said_ = false;
    return std::nullopt;
  }

  [[nodiscard]] mqtt::connect_options options() const {
    mqtt::connect_options options;
    options.set_mqtt_version(MQTTVERSION_3_1_1);
    options.set_clean_session(true);
    options.set_keep_alive_interval(static_cast<int>(ping_interval(settings_.keep_alive).count()));
    // Longer than ours: we give up, not paho.
    options.set_connect_timeout(std::chrono::ceil<std::chrono::seconds>(seams_.limits.mqtt) + 5s);
    options.set_max_inflight(max_in_flight);
    options.set_automatic_reconnect(false);
    if (will_) options.set_will_message(mqtt::message(status_topic(settings_.device), will_(), qos, true));
    // Both, lest paho look for the other one in the environment. Each with the scheme that paho 1.3.12 strips
    // from it and without which 1.3.14 takes no proxy; it speaks plain HTTP to either.
    options.set_http_proxy("http://" + relay_->as_proxy());
    options.set_https_proxy("https://" + relay_->as_proxy());
    if (endpoint_.tls) options.set_ssl(tls_options());
    return options;
  }

  [[nodiscard]] mqtt::ssl_options tls_options() const {
    const std::string ca = in_use_->ca_path(), cert = in_use_->cert_path(), key = in_use_->key_path();
    mqtt::ssl_options tls;
    if (!ca.empty()) tls.set_trust_store(ca);
    if (!cert.empty()) tls.set_key_store(cert);
    if (!key.empty()) tls.set_private_key(key);
    tls.set_enabled_cipher_suites(tls12_suites);  // paho's "TLS 1.2" would forbid 1.3, its default allows 1.0
    tls.set_enable_server_cert_auth(true);
    tls.set_verify(true);  // the server's name: off by default
    if (const std::string protocol = alpn_protocol(endpoint_); !protocol.empty())
      tls.set_alpn_protos({protocol});
    return tls;
  }

  BrokerSettings settings_;
  Endpoint endpoint_;
  std::function<std::string()> will_;
  LinkSeams seams_;
  TcpConnector connector_;
  bool clock_fault_said_ = false;
  std::optional<CredentialStore> store_;  // empty: no TLS
  // Before client_: paho reads these files once more when it connects.
  std::shared_ptr<const LoadedCredentials> in_use_ = std::make_shared<const LoadedCredentials>();
  std::shared_ptr<PahoSession> session_;        // before client_: paho holds a reference to it
  std::unique_ptr<Relay> relay_;                // before client_: which says goodbye through it
  std::unique_ptr<mqtt::async_client> client_;  // empty: no session
};

}  // namespace

std::unique_ptr<Link> make_mqtt_link(const BrokerSettings& settings, std::function<std::string()> will,
                                     LinkSeams seams) {
  return std::make_unique<PahoLink>(settings, std::move(will), std::move(seams));
}

}  // namespace glimpse
