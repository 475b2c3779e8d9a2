// What stands on the status topic.
#pragma once

#include <functional>
#include <string>

#include "telemetry/record.hpp"

namespace glimpse {

/// What is told of this device, beside "online" and "offline".
struct StatusMessage {
  std::string version;  // the program's
  std::string device, boot;
  std::function<ModelIdentity()> model;  // the one in use; called from any thread
};

/// One line of JSON, no newline. `state`: online or offline.
[[nodiscard]] std::string to_json(const char* state, const StatusMessage& message);

}  // namespace glimpse
