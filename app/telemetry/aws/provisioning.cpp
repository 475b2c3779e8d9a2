#include "telemetry/aws/provisioning.hpp"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/text.hpp"
#include "device/device_key.hpp"
#include "device/identity.hpp"
#include "telemetry/aws/claim_session.hpp"
#include "telemetry/aws/provisioning_messages.hpp"
#include "telemetry/aws/registration.hpp"

namespace glimpse {
namespace {

constexpr const char* key_file = "device.key";
constexpr const char* certificate_file = "device.crt";
constexpr const char* registration_file = "registration.json";
constexpr const char* configuration_file = "glimpse.json";

std::string_view view(const Secret& secret) {
  return {secret.data(), secret.size()};
}

std::string named(const std::string& text) {
  return "'" + escape_control(text) + "'";
}

class Provisioning {
 public:
  Provisioning(const ProvisioningRequest& request, IdentityStore& store, std::stop_token stop,
               const ProvisioningSeams& seams)
      : request_(request),
        store_(store),
        stop_(std::move(stop)),
        seams_(seams),
        server_(parse_broker_uri(request.broker.uri).text()) {}

  std::string run() {
    std::optional<Registration> pending = find_pending();
    if (pending && !pending->thing.empty() && !proof_fault(*pending, 1)) return complete(*pending);
    if (pending) pending = resume(std::move(*pending));
    if (!pending) pending = issue_and_register();
    if (const auto fault = proof_fault(*pending, seams_.proofs)) {
      throw error_of(*fault, "registered as " + named(pending->thing) +
                                 ", but not let in with the new certificate (run it again; does the template "
                                 "make it active, with a policy that lets it connect?)");
    }
    return complete(*pending);
  }

 private:
  // --- the steps ---

  std::optional<Registration> find_pending() {
    const auto stored = store_.find("pending registration", registration_file);
    if (!stored) return std::nullopt;
    auto found = parse_registration(std::string(view(*stored)));
    if (found && found->broker == request_.broker.uri && found->template_name == request_.template_name &&
        found->device == request_.broker.device && certificate_fault(found->certificate, key()).empty()) {
      spdlog::info("going on with certificate {}, which was received before",
                   escape_control(found->certificate_id));
      return found;
    }
    spdlog::warn("an attempt with another broker, template or name is given up, and its certificate: {}",
                 found ? escape_control(found->certificate_id) : "unreadable");
    key_.reset();
    store_.start_over();
    return std::nullopt;
  }

  /// Asks again for a registration that was perhaps never asked for, perhaps granted unheard. Nothing where
  /// AWS does not know the certificate any more.
  std::optional<Registration> resume(Registration pending) {
    // With the template of ours a thing is called what it asked to be.
    Registration unheard = pending;
    unheard.thing = pending.device;
    const auto is_registered = [&, maybe = pending.asked && pending.thing.empty()] {
      return maybe && !proof_fault(unheard, 1);
    };
    try {
      open_session();
    } catch (const Error& error) {  // the claim may have been revoked since
      if (error.code() == ExitCode::interrupted || !is_registered()) throw;
      return unheard;
    }
    const auto rejection = ask_to_register(pending);
    if (!rejection) return pending;
    if (rejection->is_temporary()) throw not_registered(*rejection);
    if (is_registered()) return unheard;
    spdlog::warn("{} does not register that certificate any more ({}); asking for another one", server_,
                 rejection->reason);
    return std::nullopt;
  }

  Registration issue_and_register() {
    open_session();
    Registration issued = issue();
    if (const auto rejection = ask_to_register(issued)) throw not_registered(*rejection);
    return issued;
  }

  void open_session() {
    if (session_) return;
    BrokerSettings claim = request_.broker;
    claim.device = new_claim_id();
    session_.emplace(seams_.make_link(claim), server_, seams_.answer_limit, stop_,
                     std::vector{certificate_topic(), registration_topic(request_.template_name)});
  }

  Registration issue() {
    const std::string csr = signing_request(path_of(key_file), key(), request_.broker.device);
    const auto answer = session_->ask(certificate_topic(), certificate_request(csr), "a certificate");
    if (!answer.accepted) {
      const Rejection rejection = parse_rejection(answer.payload);
      throw Error(rejection.is_temporary() ? ExitCode::unavailable : ExitCode::credentials,
                  server_ + " issues no certificate (" + rejection.reason + "); run it again later");
    }
    const auto issued = understood([&] {
      auto certificate = parse_issued_certificate(answer.payload);
      const std::string fault = certificate_fault(certificate.pem, key());
      if (!fault.empty()) throw BadAnswer("a certificate that " + fault);
      return certificate;
    });
    Registration registration{request_.broker.uri, request_.template_name, request_.broker.device, issued.id,
                              issued.pem,          issued.ownership_token};
    save(registration);
    spdlog::info("certificate {} is stored; registering it as {}", escape_control(issued.id),
                 named(registration.device));
    return registration;
  }

  /// Nothing where it is registered now.
  std::optional<Rejection> ask_to_register(Registration& pending) {
    if (!pending.asked) {
      pending.asked = true;
      save(pending);
    }
    const auto answer =
        session_->ask(registration_topic(request_.template_name),
                      registration_request(pending.ownership_token, pending.device), "a registration");
    if (!answer.accepted) return parse_rejection(answer.payload);
    const auto thing = understood([&] { return parse_thing_name(answer.payload); });
    if (!is_device_name(thing)) {
      throw Error(ExitCode::bad_data, server_ + " registered this device as " + named(thing.substr(0, 128)) +
                                          ", which no device can be called (1 to 128 of a-z A-Z 0-9 : _ -); "
                                          "mend the template");
    }
    pending.thing = thing;
    save(pending);
    return std::nullopt;
  }

  /// Why the new identity is not let in; nothing where it is.
  std::optional<LinkFault> proof_fault(const Registration& registered, int attempts) {
    store_.put(certificate_file, registered.certificate);
    BrokerSettings own = request_.broker;
    own.device = registered.thing;
    own.credentials.cert_file = path_of(certificate_file);
    own.credentials.key_file = path_of(key_file);
    const auto link = seams_.make_link(own);
    for (int attempt = 1;; ++attempt) {
      LinkEvents events;
      events.acknowledged = [](std::uint64_t) {};
      events.lost = [](const LinkFault&) {};
      events.waiting = [] {};
      events.subscribed = [](std::uint64_t, bool) {};
      events.received = [](const Message&) {};
      auto fault = link->connect(stop_, seams_.answer_limit, std::move(events));
      link->disconnect();
      if (!fault) return std::nullopt;
      if (attempt < attempts && sleep_for(stop_, seams_.proof_pause)) continue;
      if (stop_.stop_requested()) {
        throw Error(ExitCode::interrupted,
                    "stopped before it was done; run it again: it goes on where it was");
      }
      return fault;
    }
  }

  std::string complete(Registration done) {
    done.ownership_token.clear();
    save(done);
    store_.put(configuration_file, configuration(done.thing));
    store_.complete();
    return done.thing;
  }

  // --- what they need ---

  [[nodiscard]] std::string path_of(const std::string& name) const { return store_.pending() + "/" + name; }

  /// The pending key, made where there is none.
  const Secret& key() {
    if (!key_) {
      if (auto found = store_.find("key", key_file)) {
        key_.emplace(std::move(*found));
      } else {
        key_.emplace(make_device_key());
        store_.put(key_file, view(*key_));
      }
    }
    return *key_;
  }

  void save(const Registration& registration) { store_.put(registration_file, to_json(registration)); }

  template <typename Parse>
  std::invoke_result_t<Parse> understood(Parse parse) const {
    try {
      return parse();
    } catch (const BadAnswer& bad) {
      throw Error(ExitCode::bad_data, server_ + " sent " + bad.what() + " in answer to the claim; is " +
                                          named(request_.broker.uri) + " AWS IoT Core?");
    }
  }

  [[nodiscard]] Error not_registered(const Rejection& rejection) const {
    return {rejection.is_temporary() ? ExitCode::unavailable : ExitCode::credentials,
            server_ + " does not register " + named(request_.broker.device) + " by template " +
                named(request_.template_name) + " (" + rejection.reason +
                "); see the template and its pre-provisioning hook, then run it again"};
  }

  [[nodiscard]] std::string configuration(const std::string& thing) const {
    const BrokerSettings& broker = request_.broker;
    nlohmann::ordered_json json;
    auto& telemetry = json["telemetry"];
    telemetry["broker"] = broker.uri;
    if (!broker.credentials.ca_file.empty()) telemetry["ca"] = broker.credentials.ca_file;
    telemetry["cert"] = store_.folder() + "/" + certificate_file;
    telemetry["key"] = store_.folder() + "/" + key_file;
    telemetry["device"] = thing;
    if (!broker.proxy.empty()) telemetry["proxy"] = broker.proxy;
    if (!request_.outbox_state.empty()) json["outbox"]["state"] = request_.outbox_state;
    return json.dump(2) + "\n";
  }

  const ProvisioningRequest& request_;
  IdentityStore& store_;
  const std::stop_token stop_;
  const ProvisioningSeams& seams_;
  const std::string server_;
  std::optional<Secret> key_;
  std::optional<ClaimSession> session_;
};

}  // namespace

std::string new_claim_id() {
  return "claim-" + new_boot_id();
}

std::string provision(const ProvisioningRequest& request, IdentityStore& store, const std::stop_token& stop,
                      const ProvisioningSeams& seams) {
  return Provisioning(request, store, stop, seams).run();
}

}  // namespace glimpse
