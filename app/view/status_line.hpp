// The state of a run in a few words, for `systemctl status`.
#pragma once

#include <string>

#include "telemetry/record.hpp"

namespace glimpse {

/// "30.1 fps, umbrella 93 %, broker connected, 0 waiting", on one line whatever the labels hold.
[[nodiscard]] std::string to_status(const Record& record);

}  // namespace glimpse
