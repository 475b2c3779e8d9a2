#include "diagnosis/failure.hpp"

#include <string_view>

#include "telemetry/link/link_fault.hpp"

namespace glimpse {

Complaint split_complaint(const std::string& line) {
  std::size_t at = line.rfind("; ");
  for (const std::string_view command : {": chmod ", ": chown ", ": sudo "}) {
    const std::size_t found = line.rfind(command);
    if (found == std::string::npos || (at != std::string::npos && found < at)) continue;
    at = found;
  }
  if (at == std::string::npos) return {line, ""};
  return {line.substr(0, at), line.substr(at + 2)};
}

Check failure(const std::string& name, const Error& error) {
  const Complaint complaint = split_complaint(error.what());
  return Check::fail(name, complaint.text, complaint.remedy, error.code());
}

Check failure(const std::string& name, const LinkFault& fault) {
  const Complaint complaint = split_complaint(fault.reason);
  return Check::fail(name, complaint.text, complaint.remedy,
                     is_credentials_fault(fault.problem) ? ExitCode::credentials : ExitCode::unavailable);
}

}  // namespace glimpse
