// Subscriptions and messages to the device, through a real broker.
#include <deque>
#include <fstream>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

/// What a link's threads told.
struct Heard {
  std::mutex mutex;
  std::vector<std::pair<std::uint64_t, bool>> answers;
  std::vector<Message> messages;
  bool lost = false;
  LinkEvents events() {
    LinkEvents events{[](std::uint64_t) {},
                      [this](const LinkFault&) {
                        const std::lock_guard lock(mutex);
                        lost = true;
                      }};
    events.subscribed = [this](std::uint64_t id, bool granted) {
      const std::lock_guard lock(mutex);
      answers.emplace_back(id, granted);
    };
    events.received = [this](Message message) {
      const std::lock_guard lock(mutex);
      messages.push_back(std::move(message));
    };
    return events;
  }
  template <class Condition>
  bool wait(Condition condition) {
    return eventually([&] {
      const std::lock_guard lock(mutex);
      return condition();
    });
  }
};

}  // namespace

TEST_CASE("a subscription is granted and brings what is published there, whatever its bytes") {
  TempFolder certificates;
  make_certificates(certificates);
  const TlsServer server(certificates, "server");
  Heard heard;
  const auto link = make_mqtt_link(server.settings(), nullptr);
  REQUIRE_FALSE(link->connect({}, 30s, heard.events()));
  REQUIRE(link->subscribe(7, "$aws/things/test-device/shadow/#"));
  REQUIRE(heard.wait([&] { return heard.answers.size() == 1; }));
  CHECK(heard.answers.front() == std::pair<std::uint64_t, bool>{7, true});
  const std::string bytes("a\0b\xff", 4), large(128 * 1024, 'x');
  REQUIRE(link->publish(1, "$aws/things/test-device/shadow/x", bytes, false));
  REQUIRE(link->publish(2, "$aws/things/other/shadow/x", "not ours", false));
  REQUIRE(link->publish(3, "$aws/things/test-device/shadow/y", large, false));
  REQUIRE(heard.wait([&] { return heard.messages.size() == 2; }));
  CHECK(heard.messages[0].payload == bytes);
  CHECK(heard.messages[1].topic == "$aws/things/test-device/shadow/y");
  CHECK(heard.messages[1].payload == large);
}

TEST_CASE("a subscription that is refused (SUBACK 0x80) is said to be, and the session goes on") {
  TempFolder certificates, folder;
  make_certificates(certificates);
  // Only mosquitto's dynamic security can refuse a subscription.
  std::ofstream(folder.file("dynsec.json"))
      << R"({"defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true, "subscribe": false,
             "unsubscribe": true}, "anonymousGroup": "all",
             "groups": [{"groupname": "all", "roles": [{"rolename": "some"}]}],
             "roles": [{"rolename": "some", "acls":
               [{"acltype": "subscribePattern", "topic": "allowed/#", "allow": true}]}]})";
  const TlsServer server(certificates, "server",
                         "allow_anonymous true\nplugin /usr/lib/" GLIMPSE_MULTIARCH
                         "/mosquitto_dynamic_security.so\nplugin_opt_config_file " +
                             folder.file("dynsec.json") + "\n");
  Heard heard;
  const auto link = make_mqtt_link(server.settings(), nullptr);
  REQUIRE_FALSE(link->connect({}, 30s, heard.events()));
  REQUIRE(link->subscribe(1, "forbidden/x"));
  REQUIRE(link->subscribe(2, "allowed/x"));
  REQUIRE(heard.wait([&] { return heard.answers.size() == 2; }));
  CHECK(heard.answers[0] == std::pair<std::uint64_t, bool>{1, false});
  CHECK(heard.answers[1] == std::pair<std::uint64_t, bool>{2, true});
  REQUIRE(link->publish(3, "allowed/x", "still here", false));
  REQUIRE(heard.wait([&] { return heard.messages.size() == 1; }));
  CHECK_FALSE(heard.lost);
}
