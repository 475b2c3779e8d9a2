// glimpse bench: how fast a model is on this machine.
#pragma once

#include "config/settings.hpp"

namespace glimpse {

class Shutdown;

/// Measures float and int8 on each backend that can run, in interleaved rounds, and prints the result.
/// Returns the exit status; throws Error for bad input, and Error(interrupted) where a stop came first.
[[nodiscard]] int bench(const Settings& settings, Shutdown& shutdown);

}  // namespace glimpse
