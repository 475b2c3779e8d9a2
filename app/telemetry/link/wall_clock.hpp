// Is this clock set? A machine without a battery clock starts in 1970, or where it was last switched off.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "telemetry/link/link_fault.hpp"
#include "telemetry/link/sockets.hpp"

namespace glimpse {

using WallClock = std::function<std::chrono::system_clock::time_point()>;

/// When this program was made: a clock that says less is wrong. SOURCE_DATE_EPOCH, else the date of the
/// commit, else that of the build's configuration.
[[nodiscard]] std::chrono::system_clock::time_point built_at();

/// nullopt where `now` is not before built_at(); else what to tell the user.
[[nodiscard]] std::optional<LinkFault> clock_fault(std::chrono::system_clock::time_point now);

/// Waits until the clock is set: looks every `step`. False when a stop came first.
[[nodiscard]] bool wait_for_clock(const std::stop_token& stop, const WallClock& now, Steady::duration step);

}  // namespace glimpse
