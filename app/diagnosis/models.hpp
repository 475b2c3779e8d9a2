// The models that are installed, and whether they are what their manifests say.
#pragma once

#include <filesystem>
#include <string>

#include "diagnosis/examination.hpp"
#include "inference/classifier.hpp"

namespace glimpse {

/// `wanted`: a run takes it, so that what is wrong with it is a failure, and it must have the form that
/// `asked` names. Of another model it is a warning.
[[nodiscard]] Check check_model(const std::filesystem::path& folder, const ClassifierOptions& asked,
                                bool wanted);

/// One for each model. The one that a run would take has the name "model".
[[nodiscard]] std::vector<Examination> model_examinations(const ClassifierOptions& asked);

}  // namespace glimpse
