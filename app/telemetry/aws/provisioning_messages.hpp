// What a device and AWS IoT's fleet provisioning say to each other, as JSON.
// Source: AWS IoT Core developer guide, "Device provisioning MQTT API".
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace glimpse {

inline constexpr std::size_t max_answer_bytes = 131'072;  // of any message that AWS sends

/// Where a request goes; its answer comes at .../accepted or .../rejected.
[[nodiscard]] std::string certificate_topic();
[[nodiscard]] std::string registration_topic(const std::string& template_name);

/// 1 to 36 of 0-9 A-Z a-z _ -, as CreateProvisioningTemplate takes it.
[[nodiscard]] bool is_template_name(const std::string& name);

[[nodiscard]] std::string certificate_request(const std::string& csr);
[[nodiscard]] std::string registration_request(const std::string& ownership_token, const std::string& thing);

/// An answer that is not what AWS documents. Says what it is, after "sent": "no JSON".
class BadAnswer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct IssuedCertificate {
  std::string id, pem;
  std::string ownership_token;  // shows, for an hour, that we are the one it was issued for
};
/// Throws BadAnswer.
[[nodiscard]] IssuedCertificate parse_issued_certificate(const std::string& answer);
/// The thing's name, which may be any text. Throws BadAnswer.
[[nodiscard]] std::string parse_thing_name(const std::string& answer);

struct Rejection {
  int status = 0;      // HTTP's; 0 where none was given
  std::string reason;  // "403 AccessDenied: ...", one line, bounded
  /// The same may be taken later.
  [[nodiscard]] bool is_temporary() const { return status == 429 || status >= 500; }
};
/// Any answer is one.
[[nodiscard]] Rejection parse_rejection(const std::string& answer);

}  // namespace glimpse
