#include "telemetry/aws/provisioning_messages.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::json;
constexpr std::size_t max_shown = 200;

Json parse(const std::string& answer) {
  if (answer.size() > max_answer_bytes)
    throw BadAnswer("more than " + std::to_string(max_answer_bytes / 1024) + " KiB");
  Json json = Json::parse(answer, nullptr, false);
  if (json.is_discarded()) throw BadAnswer("no JSON");
  if (!json.is_object()) throw BadAnswer("JSON that is no object");
  return json;
}

std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string() || found->get_ref<const std::string&>().empty())
    throw BadAnswer(std::string("no ") + key);
  return found->get<std::string>();
}

std::string shown(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return "";
  const std::string text = escape_control(found->get_ref<const std::string&>().substr(0, max_shown));
  return found->get_ref<const std::string&>().size() > max_shown ? text + "..." : text;
}

}  // namespace

std::string certificate_topic() {
  return "$aws/certificates/create-from-csr/json";
}

std::string registration_topic(const std::string& template_name) {
  return "$aws/provisioning-templates/" + template_name + "/provision/json";
}

bool is_template_name(const std::string& name) {
  return !name.empty() && name.size() <= 36 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string certificate_request(const std::string& csr) {
  return Json::object({{"certificateSigningRequest", csr}}).dump();
}

std::string registration_request(const std::string& ownership_token, const std::string& thing) {
  return Json{{"certificateOwnershipToken", ownership_token}, {"parameters", {{"ThingName", thing}}}}.dump();
}

IssuedCertificate parse_issued_certificate(const std::string& answer) {
  const Json json = parse(answer);
  return {text_in(json, "certificateId"), text_in(json, "certificatePem"),
          text_in(json, "certificateOwnershipToken")};
}

std::string parse_thing_name(const std::string& answer) {
  return text_in(parse(answer), "thingName");
}

Rejection parse_rejection(const std::string& answer) {
  try {
    const Json json = parse(answer);
    Rejection rejection;
    if (const auto status = json.find("statusCode"); status != json.end() && status->is_number_integer()) {
      const auto number = status->get<std::int64_t>();
      if (number >= 100 && number <= 599) rejection.status = static_cast<int>(number);
    }
    if (rejection.status != 0) rejection.reason = std::to_string(rejection.status);
    for (const std::string& part : {shown(json, "errorCode"), shown(json, "errorMessage")}) {
      if (!part.empty()) rejection.reason += (rejection.reason.empty() ? "" : " ") + part;
    }
    if (rejection.reason.empty()) rejection.reason = "without a reason";
    return rejection;
  } catch (const BadAnswer& bad) {
    return {0, std::string("it sent ") + bad.what() + " as its reason"};
  }
}

}  // namespace glimpse
