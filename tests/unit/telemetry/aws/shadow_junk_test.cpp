// Documents that no honest service sends.
#include "telemetry/aws/shadow_support.hpp"

using namespace glimpse;

namespace {

std::string nested(std::size_t levels, char open) {
  std::string text;
  for (std::size_t i = 0; i < levels; ++i) text += open == '[' ? "[" : "{\"a\":";
  if (open == '{') text += "1";
  return text + std::string(levels, open == '[' ? ']' : '}');
}

}  // namespace

TEST_CASE("junk of any shape changes nothing, and what cannot be read is reported") {
  const std::string junk = GENERATE(
      std::string(), std::string("null"), std::string("[]"), std::string("7"), std::string("\"state\""),
      std::string("{"), std::string("not JSON"), std::string("{\"state\": \"\xff\xfe\"}"), std::string("{}"),
      std::string("{\"state\": {\"top_k\": 1e999}}"), std::string("{\"state\": {\"top_k\": NaN}}"),
      std::string("{\"state\": [1]}"), std::string(8000, '['), nested(4000, '['), nested(1300, '{'),
      std::string("\0\0\0\0", 4), std::string(200, '\xc3'));
  CAPTURE(junk.substr(0, 40));
  ShadowRig rig;
  rig.begin();
  const Json before = rig.reported();
  for (const char* topic :
       {"get/accepted", "get/rejected", "update/accepted", "update/rejected", "update/documents", "no/such"})
    rig.shadow.received({ShadowService::prefix + topic, junk});
  rig.settle();
  CHECK(rig.reported() == before);
  rig.shadow.received({ShadowService::prefix + "update/delta", junk});
  rig.settle();
  CHECK(rig.control.asked.empty());
  REQUIRE(rig.errors().size() == 1);
  CHECK(rig.errors().begin().key() == "document");
  CHECK(rig.updates() == 2);
  rig.desire({{"top_k", 5}});
  CHECK(rig.control.now.settings.top_k == 5);
  CHECK(rig.errors().is_null());
}

TEST_CASE("members of any type are taken for what they are not") {
  const std::string version = GENERATE("-1", "1e300", "18446744073709551615", "\"5\"", "null", "[[]]", "{}");
  ShadowRig rig;
  rig.begin();
  rig.shadow.received({ShadowService::prefix + "update/delta",
                       R"({"state": {"top_k": "x"}, "metadata": )" + version + R"(, "timestamp": )" +
                           version + R"(, "clientToken": )" + version + R"(, "version": )" + version + "}"});
  rig.shadow.received(
      {ShadowService::prefix + "update/rejected",
       R"({"code": )" + version + R"(, "message": )" + version + R"(, "clientToken": )" + version + "}"});
  rig.settle();
  CHECK(rig.control.asked.empty());
  rig.begin();  // a version of nonsense is forgotten with its session
  rig.desire({{"top_k", 5}});
  CHECK(rig.control.now.settings.top_k == 5);
}

TEST_CASE("a wish nested deeply is refused, however deep") {
  ShadowRig rig;
  rig.begin();
  for (const char open : {'[', '{'}) {
    const std::string deep = nested(open == '[' ? 3900 : 1300, open);
    rig.shadow.received({ShadowService::prefix + "update/delta",
                         R"({"version": 90, "timestamp": 1, "state": {"top_k": )" + deep + "}}"});
    rig.settle();
    CHECK(rig.errors() == Json{{"top_k", std::string("expected a whole number from 1 to 1000, got an ") +
                                             (open == '[' ? "array" : "object")}});
    rig.begin();
  }
}

TEST_CASE("a document above 8 KB is refused unread") {
  ShadowRig rig;
  rig.begin();
  const std::string wish = R"({"version": 90, "timestamp": 1, "state": {"top_k": 5}})";
  const bool of_get = GENERATE(true, false);
  if (of_get) {
    rig.shadow.began();
    REQUIRE(rig.shadow.next());
  }
  rig.shadow.received({ShadowService::prefix + (of_get ? "get/accepted" : "update/delta"),
                       wish + std::string(8193 - wish.size(), ' ')});
  rig.settle();
  CHECK(rig.control.asked.empty());
  CHECK(rig.errors() == Json{{"document", "has 8193 bytes; at most 8192 are read"}});
  rig.shadow.received({ShadowService::prefix + "update/delta", wish + std::string(8192 - wish.size(), ' ')});
  rig.settle();
  CHECK(rig.control.now.settings.top_k == 5);
}

TEST_CASE("a shadow whose difference can be read, and all of it cannot, comes to an end, too") {
  ShadowRig rig;
  rig.begin();
  rig.desire({{"colour", std::string(3000, 'c')}});
  CHECK(rig.errors().size() == 1);
  rig.begin();
  CHECK(rig.updates() <= 5);
  rig.desire({{"colour", nullptr}});
  CHECK(rig.errors().is_null());
}

TEST_CASE("what is reported of errors is bounded, however much is wrong") {
  ShadowRig rig;
  rig.begin();
  Json wish;
  for (int i = 0; i < 40; ++i) wish[std::to_string(i) + "\x1b[31m\"" + std::string(30, 'k')] = i;
  wish["model"] = std::string(1500, 'm');
  rig.desire(wish);
  const Json errors = rig.errors();
  CHECK(errors.size() == 16);
  for (const auto& [key, text] : errors.items()) {
    CHECK(key.size() <= 40);
    CHECK(text.get<std::string>().size() <= 120);
    CHECK(key.find('\x1b') == std::string::npos);
  }
  rig.desire({{"top_k", 0}});
  CHECK(*std::max_element(rig.sizes.begin(), rig.sizes.end()) <= 8192);
  CHECK(rig.log.count("\x1b") == 0);
}

TEST_CASE("text that is not UTF-8 can be reported all the same") {
  ShadowRig rig;
  rig.control.now.model.name = "\xff\xfe";
  rig.begin();
  CHECK(rig.reported()["model"] == "\\xff\\xfe");  // as core/text.hpp promises
}

TEST_CASE("a character is not cut in two") {
  ShadowRig rig;
  rig.begin();
  std::string key;
  for (int i = 0; i < 21; ++i) key += "ä";
  rig.desire({{key, 1}});
  REQUIRE(rig.errors().size() == 1);
  CHECK(rig.errors().begin().key() == key.substr(0, 36) + "...");
}
