#include "telemetry/aws/registration.hpp"

#include <nlohmann/json.hpp>

namespace glimpse {

std::string to_json(const Registration& it) {
  return nlohmann::ordered_json{{"broker", it.broker},
                                {"template", it.template_name},
                                {"device", it.device},
                                {"certificate_id", it.certificate_id},
                                {"certificate", it.certificate},
                                {"ownership_token", it.ownership_token},
                                {"asked", it.asked},
                                {"thing", it.thing}}
             .dump(2) +
         "\n";
}

std::optional<Registration> parse_registration(const std::string& json) {
  const auto it = nlohmann::json::parse(json, nullptr, false);
  try {
    return Registration{it.at("broker"),         it.at("template"),    it.at("device"),
                        it.at("certificate_id"), it.at("certificate"), it.at("ownership_token"),
                        it.at("asked"),          it.at("thing")};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace glimpse
