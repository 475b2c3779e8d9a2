// AWS as a claim sees it, which does as it is told, and remembers what was asked of it.
#pragma once

#include <cstdlib>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stop_token>
#include <vector>

#include "catch.hpp"
#include "device/credentials.hpp"
#include "telemetry/aws/provisioning.hpp"
#include "temp_folder.hpp"

namespace glimpse::test {

struct Killed {};  // thrown in the place of a SIGKILL: nobody catches it but the test

inline std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

/// Runs a shell command, and gives what it prints.
inline std::string output_of(const std::string& command) {
  const TempFolder folder;
  const std::string out = (folder.path() / "out").string();
  REQUIRE(std::system((command + " >'" + out + "' 2>/dev/null").c_str()) == 0);
  return text_of(out);
}

class Cloud {
 public:
  Cloud() {
    const std::string folder = folder_.path().string();
    output_of(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=CA -keyout "
        "'" +
        folder + "/ca.key' -out '" + folder + "/ca.crt'");
  }

  /// Signs what it is asked to, as `openssl x509` does.
  std::string issue(const std::string& csr) {
    const std::string folder = folder_.path().string();
    folder_.write("csr", csr);
    return output_of("openssl x509 -req -in '" + folder + "/csr' -CA '" + folder + "/ca.crt' -CAkey '" +
                     folder + "/ca.key' -days 1 -set_serial " + std::to_string(issued.size() + 1));
  }

  std::vector<std::string> asked;  // "claim", "issue", "register pi-7", "connect pi-7"
  std::vector<std::string> issued;
  std::map<std::string, std::string> registered;  // certificate -> thing
  std::set<std::string> tokens;                   // that are still good

  // What it shall do otherwise.
  std::string thing_name;  // AWS's own, where the template makes one
  std::optional<LinkFault> claim_fault;
  int late = 0;        // connections until a registered certificate is let in
  std::string denied;  // a filter that ends so
  std::map<std::string, std::function<void()>> before;      // "issue", "register": before it is done
  std::map<std::string, std::function<void()>> unheard;     // done, and then this in the place of an answer
  std::map<std::string, std::pair<bool, std::string>> say;  // "issue", "register": accepted?, answer
  std::set<std::string> silent, hangs_up;                   // "issue", "register"

 private:
  TempFolder folder_;
};

class CloudLink final : public Link {
 public:
  CloudLink(Cloud& cloud, BrokerSettings settings) : cloud_(cloud), settings_(std::move(settings)) {}

  std::optional<LinkFault> connect(const std::stop_token&, Steady::duration, LinkEvents events) override {
    events_ = std::move(events);
    if (settings_.device.rfind("claim-", 0) == 0) {
      cloud_.asked.emplace_back("claim");
      return cloud_.claim_fault;
    }
    cloud_.asked.push_back("connect " + settings_.device);
    check_credentials(settings_.credentials);
    const auto found = cloud_.registered.find(text_of(settings_.credentials.cert_file));
    if (found != cloud_.registered.end() && found->second == settings_.device && cloud_.late-- <= 0)
      return std::nullopt;
    return LinkFault{LinkProblem::not_authorised, "not let in"};
  }
  bool subscribe(std::uint64_t id, const std::string& filter) override {
    events_.subscribed(id, cloud_.denied.empty() || !filter.ends_with(cloud_.denied));
    return true;
  }
  bool publish(std::uint64_t, const std::string& topic, const std::string& payload, bool retained) override {
    CHECK_FALSE(retained);
    const bool issues = topic == "$aws/certificates/create-from-csr/json";
    CHECK((issues || topic == "$aws/provisioning-templates/fleet/provision/json"));
    const std::string step = issues ? "issue" : "register";
    if (cloud_.hangs_up.count(step) != 0) return events_.lost({LinkProblem::lost, "cut"}), true;
    if (const auto it = cloud_.before.find(step); it != cloud_.before.end()) it->second();
    auto [accepted, answer] = issues ? issue(payload) : enrol(payload);
    if (const auto it = cloud_.unheard.find(step); it != cloud_.unheard.end()) it->second();
    if (const auto it = cloud_.say.find(step); it != cloud_.say.end())
      std::tie(accepted, answer) = it->second;
    if (cloud_.silent.count(step) != 0) return true;
    events_.received({topic + (accepted ? "/accepted" : "/rejected"), answer});
    events_.received({topic + "/rejected", "{}"});  // whatever comes after the answer
    return true;
  }
  void disconnect() override {}

 private:
  std::pair<bool, std::string> issue(const std::string& payload) {
    cloud_.asked.emplace_back("issue");
    cloud_.issued.push_back(cloud_.issue(nlohmann::json::parse(payload).at("certificateSigningRequest")));
    const std::string number = std::to_string(cloud_.issued.size());
    cloud_.tokens.insert("token " + number);
    return {true, nlohmann::json{{"certificateId", "id" + number},
                                 {"certificatePem", cloud_.issued.back()},
                                 {"certificateOwnershipToken", "token " + number}}
                      .dump()};
  }
  std::pair<bool, std::string> enrol(const std::string& payload) {
    const auto json = nlohmann::json::parse(payload);
    const std::string token = json.at("certificateOwnershipToken"),
                      name = json.at("parameters").at("ThingName");
    cloud_.asked.push_back("register " + name);
    if (cloud_.tokens.count(token) == 0) {
      return {false, R"({"statusCode": 400, "errorCode": "InvalidCertificateOwnershipToken",
                         "errorMessage": "Certificate ownership token is expired or invalid."})"};
    }
    const std::string thing = cloud_.thing_name.empty() ? name : cloud_.thing_name;
    cloud_.registered[cloud_.issued.at(std::stoul(token.substr(6)) - 1)] = thing;
    return {true, nlohmann::json{{"deviceConfiguration", {{"color", "red"}}}, {"thingName", thing}}.dump()};
  }

  Cloud& cloud_;
  const BrokerSettings settings_;
  LinkEvents events_;
};

/// A device's state folder, and what `glimpse provision` does in it.
class NewDevice {
 public:
  NewDevice() {
    request.broker.uri = "mqtts://cloud.example";
    request.broker.device = "pi-7";
    request.broker.proxy = "http://proxy.example:3128";
    request.template_name = "fleet";
  }
  std::string provision(
      Cloud& cloud, std::function<void()> after_step = [] {}) {
    ProvisioningSeams seams;
    seams.make_link = [&cloud](const BrokerSettings& settings) {
      return std::make_unique<CloudLink>(cloud, settings);
    };
    seams.answer_limit = std::chrono::milliseconds(20);
    seams.proofs = 3;
    seams.proof_pause = std::chrono::milliseconds(1);
    IdentityStore store(state.path().string(), std::move(after_step));
    return glimpse::provision(request, store, stop.get_token(), seams);
  }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const {
    return state.path() / "identity" / name;
  }
  [[nodiscard]] bool is_complete() const { return std::filesystem::exists(state.path() / "identity"); }
  /// Key and certificate belong together, and AWS has registered them under this name.
  void check_works(const Cloud& cloud, const std::string& name) const {
    const std::string certificate = text_of(file("device.crt"));
    REQUIRE(cloud.registered.count(certificate) == 1);
    CHECK(cloud.registered.at(certificate) == name);
    CHECK(output_of("openssl x509 -noout -pubkey -in '" + file("device.crt").string() + "'") ==
          output_of("openssl pkey -pubout -in '" + file("device.key").string() + "'"));
    CHECK(nlohmann::json::parse(text_of(file("glimpse.json")))["telemetry"]["device"] == name);
  }

  const TempFolder state;
  ProvisioningRequest request;
  std::stop_source stop;
};

}  // namespace glimpse::test
