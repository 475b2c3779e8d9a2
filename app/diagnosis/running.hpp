// Whether a glimpse runs here under this device's name: its session with the broker must not be disturbed.
#pragma once

#include <optional>
#include <string>

namespace glimpse {

struct Running {
  int pid = 0;           // 0: unknown
  bool certain = false;  // it has this very outbox, or one of this device; else it is another user's, and may
  std::string
      status{};  // what systemd shows of it: "30.1 fps, umbrella 93 %, broker connected"; mostly empty
};

/// Looks at the lock of the outbox, then through `proc`, "/proc" but in tests, for a `glimpse run`. Takes no
/// lock and sends nothing. Not seen: other machines, and other containers.
[[nodiscard]] std::optional<Running> running_glimpse(const std::string& outbox_file,
                                                     const std::string& proc = "/proc");

}  // namespace glimpse
