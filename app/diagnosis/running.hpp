// Whether a glimpse runs here under this device's name: its session with the broker must not be disturbed.
#pragma once

#include <optional>
#include <string>

namespace glimpse {

struct Running {
  enum class How {
    this_outbox,     // it has this very file
    this_device,     // an outbox of this device in another folder
    perhaps,         // another user's: what it has open cannot be seen
    without_outbox,  // it has none open, as where the disk has become read-only: nothing tells its device
  };
  int pid = 0;  // 0: unknown
  How how = How::this_outbox;
  std::string
      status{};  // what systemd shows of it: "30.1 fps, umbrella 93 %, broker connected"; mostly empty
};

/// Looks at the lock of the outbox, then through `proc`, "/proc" but in tests, for a `glimpse run`. Takes no
/// lock and sends nothing. Not seen: other machines, and other containers.
[[nodiscard]] std::optional<Running> running_glimpse(const std::string& outbox_file,
                                                     const std::string& proc = "/proc");

}  // namespace glimpse
