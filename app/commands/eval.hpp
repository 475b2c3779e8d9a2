// glimpse eval: how often a model is right on labelled pictures.
#pragma once

#include "config/settings.hpp"

namespace glimpse {

class Shutdown;

/// Runs over all pictures and prints the result. Returns the exit status; throws Error for bad input, and
/// Error(interrupted) where a stop came first: a part of an evaluation is no evaluation.
[[nodiscard]] int eval(const Settings& settings, Shutdown& shutdown);

}  // namespace glimpse
