// Which machine this is: times mean nothing without it.
#pragma once

#include <optional>
#include <string>

namespace glimpse {

/// What a machine does not tell stays empty.
struct Machine {
  std::optional<std::string>
      board;  // "Raspberry Pi 5 Model B Rev 1.0": the device tree's model; a PC has none
  std::optional<std::string> system;  // "Debian GNU/Linux 12 (bookworm)": PRETTY_NAME of os-release(5)
  std::string kernel;                 // "Linux 6.1.0-17-arm64 aarch64": uname(2)
};

/// Reads /sys and /etc below `root`, which is "" but in tests. Throws nothing.
[[nodiscard]] Machine this_machine(const std::string& root = "");

}  // namespace glimpse
