// glimpse provision: a claim certificate becomes one of the device's own.
#pragma once

#include "config/settings.hpp"

namespace glimpse {

class Shutdown;

/// Makes STATE/identity, unless it is there already. Throws Error as provision() in telemetry/aws does, and
/// Error(usage) for settings that cannot be.
int provision(const Settings& settings, Shutdown& shutdown);

}  // namespace glimpse
