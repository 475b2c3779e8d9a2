// glimpse doctor: what is wrong on this machine, and how to mend it.
#pragma once

#include "config/settings.hpp"

namespace glimpse {

class Shutdown;

/// Looks at all that a run with these settings would need, and prints each finding. Returns 0 where nothing
/// failed, else the exit status that the first failure stands for. Throws Error(interrupted) after a stop.
[[nodiscard]] int doctor(const Settings& settings, Shutdown& shutdown);

}  // namespace glimpse
