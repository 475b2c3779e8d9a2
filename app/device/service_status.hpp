// What systemd shows of a service.
#pragma once

#include <sys/types.h>

#include <string>

namespace glimpse {

/// The line that the service of this process has told systemd last, as `systemctl status` shows it. "" where
/// the process is no service's, has told nothing, or systemd is not there to ask.
[[nodiscard]] std::string service_status(pid_t pid);

}  // namespace glimpse
