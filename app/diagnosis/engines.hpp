// What computes: LibTorch, BLAS, and each backend with the wanted model, for a moment.
#pragma once

#include <string>

#include "diagnosis/examination.hpp"
#include "inference/classifier.hpp"

namespace glimpse {

/// Which libblas.so.3 is loaded. `maps` is /proc/self/maps; what else is installed is looked for below
/// `root`, "" but in tests.
[[nodiscard]] Check check_blas(const std::string& maps, const std::string& root = "");

/// Loads the model and runs it on a grey picture for about 0.1 s. `options` name backend and form. Skipped
/// where memory is scarce, below `root`.
[[nodiscard]] Check check_speed(const ClassifierOptions& options, const std::string& root = "");

/// Those of the speed need the examination "model". They fail where a run would: when the backend that was
/// named does not run the form that was asked for, or with `auto` none does. Else they warn.
[[nodiscard]] std::vector<Examination> engine_examinations(const ClassifierOptions& asked);

}  // namespace glimpse
