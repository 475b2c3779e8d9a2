// What keeps a device from an identity: each told in one line with the right exit code, and mended by another
// start.
#include "core/error.hpp"
#include "fake_cloud.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

/// What the attempt is refused with. Nothing is complete after it, and once the cloud does as it should the
/// next attempt comes to its end.
std::string refusal(Cloud& cloud, ExitCode code, NewDevice& device) {
  std::string message;
  try {
    device.provision(cloud);
    FAIL("taken without a word");
  } catch (const Error& error) {
    CHECK(error.code() == code);
    message = error.what();
  }
  CHECK(message.find('\n') == std::string::npos);
  CHECK_FALSE(device.is_complete());
  cloud.claim_fault.reset();
  cloud.denied.clear();
  cloud.before.clear();
  cloud.say.clear();
  cloud.silent.clear();
  cloud.hangs_up.clear();
  cloud.thing_name.clear();
  cloud.late = 0;
  device.stop = std::stop_source();
  CHECK(device.provision(cloud) == "pi-7");
  device.check_works(cloud, "pi-7");
  return message;
}

std::string refusal(Cloud& cloud, ExitCode code) {
  NewDevice device;
  return refusal(cloud, code, device);
}

}  // namespace

TEST_CASE("A claim that is not let in: the link's own words, and its exit code") {
  Cloud cloud;
  cloud.claim_fault =
      LinkFault{LinkProblem::certificate_refused, "cloud.example:8883 does not take this certificate"};
  CHECK(refusal(cloud, ExitCode::credentials) ==
        "not let in with the claim: cloud.example:8883 does not take this certificate");
  cloud.claim_fault =
      LinkFault{LinkProblem::unreachable, "it hung up; it is tried again by itself, see the log"};
  CHECK(refusal(cloud, ExitCode::unavailable) ==
        "not let in with the claim: it hung up; run it again, see the log");
}

TEST_CASE("A clock that is not set is told, and nothing waits for it") {
  Cloud cloud;
  cloud.claim_fault = clock_fault(std::chrono::system_clock::time_point{});
  const std::string message = refusal(cloud, ExitCode::unavailable);
  CHECK_THAT(message, ContainsSubstring("this clock says 1970-01-01 00:00:00 UTC"));
  CHECK_THAT(message, !ContainsSubstring("waits") && ContainsSubstring("timedatectl"));
}

TEST_CASE("A policy that forbids to listen costs no certificate") {
  Cloud cloud;
  cloud.denied = "provision/json/rejected";
  NewDevice device;
  const std::string message = [&] {
    try {
      device.provision(cloud);
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  }();
  CHECK(cloud.issued.empty());
  CHECK_THAT(message, ContainsSubstring("$aws/provisioning-templates/fleet/provision/json/rejected") &&
                          ContainsSubstring("--template"));
  CHECK(refusal(cloud, ExitCode::credentials, device) == message);
}

TEST_CASE("A session that ends at a question is told with the policy that it takes") {
  const auto [step, topic] = GENERATE(
      table<std::string, std::string>({{"issue", "$aws/certificates/create-from-csr/json"},
                                       {"register", "$aws/provisioning-templates/fleet/provision/json"}}));
  Cloud cloud;
  cloud.hangs_up = {step};
  CHECK_THAT(refusal(cloud, ExitCode::credentials),
             ContainsSubstring("cloud.example:8883 ended the session") &&
                 ContainsSubstring("(" + topic + ")") && ContainsSubstring("--template"));
}

TEST_CASE("Silence has an end") {
  const std::string step = GENERATE("issue", "register");
  Cloud cloud;
  cloud.silent = {step};
  CHECK_THAT(refusal(cloud, ExitCode::unavailable),
             ContainsSubstring("cloud.example:8883 gave no answer") && ContainsSubstring("run it again"));
}

TEST_CASE("A rejection is AWS's own words, on one line, and goes on where it was once AWS relents") {
  const auto [status, code] = GENERATE(table<int, ExitCode>(
      {{403, ExitCode::credentials}, {429, ExitCode::unavailable}, {500, ExitCode::unavailable}}));
  const std::string step = GENERATE("issue", "register");
  Cloud cloud;
  cloud.say[step] = {
      false, nlohmann::json{{"statusCode", status}, {"errorCode", "No"}, {"errorMessage", "a\nb"}}.dump()};
  CHECK_THAT(refusal(cloud, code), ContainsSubstring("(" + std::to_string(status) + " No a\\x0ab)"));
}

TEST_CASE("A registration that AWS has no time for now is not asked for with another certificate") {
  Cloud cloud;
  NewDevice device;
  cloud.before["register"] = [] { throw Killed(); };
  CHECK_THROWS_AS(device.provision(cloud), Killed);
  cloud.before.clear();
  cloud.say["register"] = {false, R"({"statusCode": 503})"};
  CHECK_THAT(refusal(cloud, ExitCode::unavailable, device), ContainsSubstring("(503)"));
  CHECK(cloud.issued.size() == 1);
}

TEST_CASE("An answer that makes no identity is told as what it is") {
  Cloud cloud;
  const std::string other = [&] {
    NewDevice another;
    another.provision(cloud);
    return nlohmann::json{{"certificateId", "id"},
                          {"certificatePem", text_of(another.file("device.crt"))},
                          {"certificateOwnershipToken", "token"}}
        .dump();
  }();
  const std::string no_pem =
      R"({"certificateId": "id", "certificatePem": "a\u0000b", "certificateOwnershipToken": "token"})";
  const auto [step, answer, fault] = GENERATE_COPY(table<std::string, std::string, std::string>(
      {{"issue", "<html>", "sent no JSON"},
       {"issue", "{}", "sent no certificateId"},
       {"issue", no_pem, "sent a certificate that is none, or damaged"},
       {"issue", other, "sent a certificate that is for another key"},
       {"issue", std::string(200'000, ' '), "sent more than 128 KiB"},
       {"register", "[]", "sent JSON that is no object"},
       {"register", R"({"thingName": null})", "sent no thingName"},
       {"register", R"({"thingName": "a/b"})",
        "registered this device as 'a/b', which no device can be called"},
       {"register", R"({"thingName": "a\n"})",
        "registered this device as 'a\\x0a', which no device can be called"}}));
  cloud.say[step] = {true, answer};
  cloud.registered.clear();
  CHECK_THAT(refusal(cloud, ExitCode::bad_data), ContainsSubstring(fault));
}

TEST_CASE("An identity that is never let in is no identity") {
  Cloud cloud;
  cloud.late = 1000;
  CHECK_THAT(refusal(cloud, ExitCode::credentials), ContainsSubstring("registered as 'pi-7'") &&
                                                        ContainsSubstring("not let in") &&
                                                        ContainsSubstring("template"));
}

TEST_CASE("A stop ends any wait, and the next start goes on") {
  const std::string step = GENERATE("issue", "register");
  Cloud cloud;
  NewDevice device;
  cloud.before[step] = [&] { device.stop.request_stop(); };
  cloud.silent = {step};
  CHECK_THAT(refusal(cloud, ExitCode::interrupted, device), ContainsSubstring("goes on where it was"));
}
