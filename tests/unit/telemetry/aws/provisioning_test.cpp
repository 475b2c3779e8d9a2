// The way to an identity, straight and interrupted.
#include "telemetry/aws/provisioning.hpp"

#include <sys/stat.h>

#include "core/error.hpp"
#include "fake_cloud.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

using Asked = std::vector<std::string>;
const Asked straight{"claim", "issue", "register pi-7", "connect pi-7"};

const auto kill_it = [] { throw Killed(); };

void kill_at(NewDevice& device, Cloud& cloud) {
  CHECK_THROWS_AS(device.provision(cloud), Killed);
  CHECK_FALSE(device.is_complete());
  cloud.asked.clear();
  cloud.before.clear();
  cloud.unheard.clear();
}

}  // namespace

TEST_CASE("A claim becomes an identity that run takes") {
  Cloud cloud;
  NewDevice device;
  device.request.outbox_state = "/state";
  CHECK(device.provision(cloud) == "pi-7");
  CHECK(cloud.asked == straight);
  device.check_works(cloud, "pi-7");

  const std::string folder = (device.state.path() / "identity").string();
  CHECK(nlohmann::json::parse(text_of(device.file("glimpse.json"))) ==
        nlohmann::json{{"telemetry",
                        {{"broker", "mqtts://cloud.example"},
                         {"cert", folder + "/device.crt"},
                         {"key", folder + "/device.key"},
                         {"device", "pi-7"},
                         {"proxy", "http://proxy.example:3128"}}},
                       {"outbox", {{"state", "/state"}}}});
  for (const auto& it : std::filesystem::directory_iterator(folder)) {
    struct stat found {};
    REQUIRE(stat(it.path().c_str(), &found) == 0);
    CHECK((found.st_mode & 07777) == 0600);
    CHECK(text_of(it.path()).find("token 1") == std::string::npos);
  }
}

TEST_CASE("A claim's name is its own each time, as its policy wants it, and MQTT takes it") {
  CHECK(new_claim_id().rfind("claim-", 0) == 0);
  CHECK(new_claim_id() != new_claim_id());
  CHECK(new_claim_id().size() == 42);
}

TEST_CASE(
    "Killed after any change of the disk, it goes on or starts over, and ends with an identity that works") {
  int killed_after = 0;
  for (bool was_killed = true; was_killed; ++killed_after) {
    Cloud cloud;
    NewDevice device;
    was_killed = false;
    try {
      device.provision(cloud, [left = killed_after]() mutable {
        if (left-- == 0) throw Killed();
      });
    } catch (const Killed&) {
      was_killed = true;
    }
    if (!device.is_complete()) CHECK(device.provision(cloud) == "pi-7");
    device.check_works(cloud, "pi-7");
    CHECK(cloud.issued.size() <= 2);  // two where the first was not stored yet
    CHECK(cloud.registered.size() == 1);
  }
  CHECK(killed_after > 20);
}

TEST_CASE("Killed between receiving the certificate and storing it: another is issued for the same key") {
  Cloud cloud;
  NewDevice device;
  cloud.unheard["issue"] = kill_it;
  kill_at(device, cloud);
  CHECK(device.provision(cloud) == "pi-7");
  CHECK(cloud.asked == straight);
  device.check_works(cloud, "pi-7");
  CHECK(cloud.registered.count(cloud.issued.at(1)) == 1);
}

TEST_CASE("Killed before it was registered: the stored certificate is") {
  Cloud cloud;
  NewDevice device;
  cloud.before["register"] = kill_it;
  kill_at(device, cloud);
  CHECK(device.provision(cloud) == "pi-7");
  CHECK(cloud.asked == Asked{"claim", "register pi-7", "connect pi-7"});
  device.check_works(cloud, "pi-7");
}

TEST_CASE("Killed before AWS's word of the registration was read: it is asked again") {
  Cloud cloud;
  NewDevice device;
  cloud.thing_name = "serial-1";  // so that only AWS knows it
  cloud.unheard["register"] = kill_it;
  kill_at(device, cloud);
  CHECK(device.provision(cloud) == "serial-1");
  CHECK(cloud.asked == Asked{"claim", "register pi-7", "connect serial-1"});
  device.check_works(cloud, "serial-1");
}

TEST_CASE("Registered unheard, and the token has expired meanwhile: connecting tells that it is") {
  Cloud cloud;
  NewDevice device;
  cloud.unheard["register"] = kill_it;
  kill_at(device, cloud);
  cloud.tokens.clear();
  CHECK(device.provision(cloud) == "pi-7");
  CHECK(cloud.asked == Asked{"claim", "register pi-7", "connect pi-7", "connect pi-7"});
  device.check_works(cloud, "pi-7");
  CHECK(cloud.issued.size() == 1);
}

TEST_CASE("Registered unheard, and the claim was revoked meanwhile: connecting tells that it is") {
  Cloud cloud;
  NewDevice device;
  cloud.unheard["register"] = kill_it;
  kill_at(device, cloud);
  cloud.claim_fault = LinkFault{LinkProblem::certificate_refused, "refused"};
  CHECK(device.provision(cloud) == "pi-7");
  device.check_works(cloud, "pi-7");
}

TEST_CASE("Killed before it asked, and the token has expired: nothing is tried with that certificate") {
  Cloud cloud;
  NewDevice device;
  const auto stored = device.state.path() / "identity.pending" / "registration.json";
  CHECK_THROWS_AS(device.provision(cloud,
                                   [&] {
                                     if (std::filesystem::exists(stored)) throw Killed();
                                   }),
                  Killed);
  cloud.tokens.clear();
  cloud.asked.clear();
  CHECK(device.provision(cloud) == "pi-7");
  CHECK(cloud.asked == Asked{"claim", "register pi-7", "issue", "register pi-7", "connect pi-7"});
  device.check_works(cloud, "pi-7");
}

TEST_CASE("Never registered, and the token has expired: another certificate is asked for") {
  Cloud cloud;
  NewDevice device;
  cloud.before["register"] = kill_it;
  kill_at(device, cloud);
  cloud.tokens.clear();
  CHECK(device.provision(cloud) == "pi-7");
  // It was about to be asked for, so whether it was is tried.
  CHECK(cloud.asked ==
        Asked{"claim", "register pi-7", "connect pi-7", "issue", "register pi-7", "connect pi-7"});
  device.check_works(cloud, "pi-7");
}

TEST_CASE("Registered and heard, but not let in yet: the next start asks for nothing new") {
  Cloud cloud;
  NewDevice device;
  cloud.late = 3;
  CHECK_THROWS_AS(device.provision(cloud), Error);
  CHECK_FALSE(device.is_complete());
  cloud.asked.clear();
  CHECK(device.provision(cloud) == "pi-7");
  CHECK(cloud.asked == Asked{"connect pi-7"});
  device.check_works(cloud, "pi-7");
}

TEST_CASE("A certificate that AWS knows no more is replaced") {
  Cloud cloud;
  NewDevice device;
  cloud.late = 3;
  CHECK_THROWS_AS(device.provision(cloud), Error);
  cloud.registered.clear();
  cloud.tokens.clear();
  cloud.asked.clear();
  CHECK(device.provision(cloud) == "pi-7");
  CHECK(cloud.asked ==
        Asked{"connect pi-7", "claim", "register pi-7", "issue", "register pi-7", "connect pi-7"});
  device.check_works(cloud, "pi-7");
}

TEST_CASE("It waits for AWS to know the new certificate everywhere") {
  Cloud cloud;
  NewDevice device;
  cloud.late = 2;
  CHECK(device.provision(cloud) == "pi-7");
  CHECK(cloud.asked ==
        Asked{"claim", "issue", "register pi-7", "connect pi-7", "connect pi-7", "connect pi-7"});
}

TEST_CASE("A pending attempt for something else is given up, with its key") {
  const std::string what = GENERATE("broker", "template", "device", "damaged");
  Cloud cloud;
  NewDevice device;
  cloud.before["register"] = kill_it;
  kill_at(device, cloud);
  const std::string pending = (device.state.path() / "identity.pending").string();
  const std::string key = text_of(pending + "/device.key");
  if (what == "broker") device.request.broker.uri = "mqtts://other.example";
  if (what == "template") {
    const std::string path = pending + "/registration.json";
    std::string text = text_of(path);
    text.replace(text.find("\"fleet\""), 7, "\"older\"");
    std::ofstream(path) << text;
  }
  if (what == "device") device.request.broker.device = "pi-8";
  if (what == "damaged") std::ofstream(pending + "/registration.json") << "{}";
  CHECK(device.provision(cloud) == device.request.broker.device);
  device.check_works(cloud, device.request.broker.device);
  CHECK(text_of(device.file("device.key")) != key);
  CHECK(cloud.registered.size() == 1);
}
