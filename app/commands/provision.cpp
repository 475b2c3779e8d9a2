#include "commands/provision.hpp"

#include <filesystem>

#include "commands/run_settings.hpp"
#include "core/error.hpp"
#include "core/shutdown.hpp"
#include "core/state_folder.hpp"
#include "core/text.hpp"
#include "telemetry/aws/provisioning.hpp"
#include "telemetry/aws/provisioning_messages.hpp"
#include "view/output.hpp"

namespace glimpse {
namespace {

std::string absolute(const std::string& path) {
  return path.empty() ? "" : std::filesystem::absolute(path).lexically_normal().string();
}

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ExitCode::usage, message + "; see glimpse provision --help");
}

ProvisioningRequest checked_request(const Settings& settings) {
  const auto& [claim_cert, claim_key, template_name] = settings.provision;
  if (claim_cert.empty() || claim_key.empty())
    refuse("provision needs --claim-cert FILE and --claim-key FILE");
  if (!is_template_name(template_name)) {
    refuse("--template \"" + escape_control(template_name) +
           "\": provision needs the template's name, 1 to 36 of a-z A-Z 0-9 _ -");
  }
  if (settings.telemetry.broker.empty()) refuse("provision needs --broker mqtts://ENDPOINT");
  if (!parse_broker_uri(settings.telemetry.broker).tls) {
    refuse("--broker \"" + settings.telemetry.broker +
           "\": without TLS nobody sees the claim; give mqtts://");
  }

  BrokerSettings broker = broker_settings(settings, device_name(settings.telemetry));
  broker.credentials = {absolute(settings.telemetry.ca), claim_cert, claim_key};
  validate_broker(broker);
  return {broker, template_name, absolute(settings.outbox.state)};
}

/// The name in a complete identity. Throws Error where `run` would not take it.
std::string name_in(const IdentityStore& store) {
  try {
    Settings settings;
    load_config(store.folder() + "/glimpse.json", settings);
    check_credentials({settings.telemetry.ca, settings.telemetry.cert, settings.telemetry.key});
    return settings.telemetry.device;
  } catch (const Error& error) {
    throw Error(error.code(), std::string("this device is provisioned already, but ") + error.what() +
                                  " (or start anew: rm -r '" + escape_control(store.folder()) + "')");
  }
}

}  // namespace

int provision(const Settings& settings, Shutdown& shutdown) {
  Output output([&] { shutdown.begin(); });
  shutdown.set_last_words([] { return static_cast<int>(ExitCode::interrupted); });
  IdentityStore store(absolute(state_folder(settings.outbox.state)));
  const auto say = [&](const std::string& name, const std::string& when) {
    output.write("this device is provisioned" + when + " as " + name + "\nrun:    glimpse run --config '" +
                 store.folder() + "/glimpse.json'\n");
    output.check();
    return 0;
  };
  if (store.is_complete()) return say(name_in(store), " already,");
  return say(provision(checked_request(settings), store, shutdown.token()), "");
}

}  // namespace glimpse
