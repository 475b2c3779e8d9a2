// What of the machine can be in the way: heat, power, memory, clock. All read below `root`, "" but in tests.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "diagnosis/examination.hpp"

namespace glimpse {

[[nodiscard]] Check check_machine(const std::string& root = "");
[[nodiscard]] Check check_memory(const std::string& root = "");
/// MiB; empty where it is unknown. Loading a network takes up to twice what running it does: below
/// `scarce_mb` it is not tried beside others.
[[nodiscard]] std::optional<long long> available_mb(const std::string& root = "");
inline constexpr long long scarce_mb = 300;
/// temperature, throttling and power
[[nodiscard]] Checks check_heat(const std::string& root = "");

/// What the kernel says of the clock, adjtimex(2): whether something keeps it right. Empty where it says
/// nothing.
[[nodiscard]] std::optional<bool> clock_is_synchronized();
/// `with_broker`: only with one a clock that is not set keeps a run from its work.
[[nodiscard]] Check check_clock(std::chrono::system_clock::time_point now, std::optional<bool> synchronized,
                                bool with_broker);

/// `asked`: threads for the network; 0: one fewer than there are cores.
[[nodiscard]] Check check_threads(int asked, int cores);

[[nodiscard]] std::vector<Examination> machine_examinations(int threads, bool with_broker);

}  // namespace glimpse
