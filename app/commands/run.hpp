// glimpse run: from frames to top-k to records.
#pragma once

#include "config/settings.hpp"

namespace glimpse {

class Shutdown;

/// Runs until the source ends, a limit is reached or a stop is requested. Returns the exit status; throws
/// Error for a bad start.
[[nodiscard]] int run(const Settings& settings, Shutdown& shutdown);

}  // namespace glimpse
