#include "telemetry/aws/provisioning_messages.hpp"

#include <functional>

#include "catch.hpp"

using namespace glimpse;

namespace {

std::string fault_of(const std::function<void()>& parse) {
  try {
    parse();
    return "";
  } catch (const BadAnswer& bad) {
    return bad.what();
  }
}

}  // namespace

// The developer guide's own words: "Device provisioning MQTT API".
TEST_CASE("Topics and requests are those of AWS's guide") {
  CHECK(certificate_topic() == "$aws/certificates/create-from-csr/json");
  CHECK(registration_topic("fleet") == "$aws/provisioning-templates/fleet/provision/json");
  CHECK(certificate_request("-----BEGIN\n") == R"({"certificateSigningRequest":"-----BEGIN\n"})");
  CHECK(registration_request("t\"oken", "pi-7") ==
        R"({"certificateOwnershipToken":"t\"oken","parameters":{"ThingName":"pi-7"}})");
}

TEST_CASE("Answers are read as AWS's guide shows them") {
  const auto issued = parse_issued_certificate(
      R"({"certificateOwnershipToken": "token", "certificateId": "id", "certificatePem": "pem", "new": 1})");
  CHECK(issued.id == "id");
  CHECK(issued.pem == "pem");
  CHECK(issued.ownership_token == "token");
  CHECK(parse_thing_name(R"({"deviceConfiguration": {"a": "b"}, "thingName": "pi-7"})") == "pi-7");
}

TEST_CASE("An answer that is none is told as what it is") {
  const std::pair<std::string, std::string> bad[] = {
      {"", "no JSON"},
      {"{", "no JSON"},
      {std::string(100'000, '['), "no JSON"},
      {"{\"thingName\": \"\xff\"}", "no JSON"},
      {"[]", "JSON that is no object"},
      {"null", "JSON that is no object"},
      {"{}", "no thingName"},
      {R"({"thingName": 7})", "no thingName"},
      {R"({"thingName": ""})", "no thingName"},
      {R"({"thingName": ")" + std::string(128 * 1024, 'x') + "\"}", "more than 128 KiB"},
  };
  for (const auto& [answer, fault] : bad) {
    CHECK(fault_of([&, it = answer] { (void)parse_thing_name(it); }) == fault);
  }
  CHECK(fault_of([] {
          (void)parse_issued_certificate(R"({"certificateId": "a", "certificatePem": "b"})");
        }) == "no certificateOwnershipToken");
}

TEST_CASE("A rejection is one bounded line, whatever was sent") {
  const auto plain =
      parse_rejection(R"({"statusCode": 403, "errorCode": "AccessDenied", "errorMessage": "no\n!"})");
  CHECK(plain.reason == "403 AccessDenied no\\x0a!");
  CHECK_FALSE(plain.is_temporary());
  CHECK(parse_rejection(R"({"statusCode": 429, "errorCode": "Throttled"})").is_temporary());
  CHECK(parse_rejection(R"({"statusCode": 503})").is_temporary());
  CHECK(parse_rejection("{}").reason == "without a reason");
  CHECK(parse_rejection(R"({"statusCode": 1e300, "errorCode": [], "errorMessage": {}})").reason ==
        "without a reason");
  CHECK(parse_rejection(R"({"statusCode": 99999999999999})").status == 0);
  CHECK(parse_rejection("<html>").reason == "it sent no JSON as its reason");
  const auto longest = parse_rejection(R"({"errorMessage": ")" + std::string(10'000, 'x') + "\"}");
  CHECK(longest.reason == std::string(200, 'x') + "...");
}

TEST_CASE("A template's name is what AWS takes as one") {
  CHECK(is_template_name("fleet_A-1"));
  CHECK(is_template_name(std::string(36, 'x')));
  for (const std::string& name : {std::string(), std::string(37, 'x'), std::string("a/b"), std::string("+"),
                                  std::string("#"), std::string("a b")}) {
    CHECK_FALSE(is_template_name(name));
  }
}
