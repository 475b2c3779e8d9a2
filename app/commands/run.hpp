// glimpse run: from frames to top-k to records.
#pragma once

#include <functional>

#include "config/settings.hpp"

namespace glimpse {

class Shutdown;

/// Runs until the source ends, a limit is reached or a stop is requested. `reread` gives the settings as they
/// are now, for a reload; empty where there is no configuration file. Returns the exit status; throws Error
/// for a bad start.
[[nodiscard]] int run(const Settings& settings, const std::function<Settings()>& reread, Shutdown& shutdown);

}  // namespace glimpse
