// What is known of a certificate between its issue and the first connection with it: one file of the pending
// identity.
#pragma once

#include <optional>
#include <string>

namespace glimpse {

struct Registration {
  std::string broker, template_name, device;  // what it is for
  std::string certificate_id, certificate, ownership_token;
  bool asked = false;   // AWS may have registered it, whatever we heard
  std::string thing{};  // AWS has, by this name
};

[[nodiscard]] std::string to_json(const Registration& registration);
/// Nothing for what to_json() did not write.
[[nodiscard]] std::optional<Registration> parse_registration(const std::string& json);

}  // namespace glimpse
