// The models that AWS IoT jobs have installed, as a run uses them.
#pragma once

#include <memory>

#include "config/settings.hpp"
#include "inference/classifier.hpp"
#include "installation/model_store.hpp"

namespace glimpse {

/// STATE/models. Before any model is loaded: what an earlier run's end has cut short is undone here. Throws
/// Error(configuration) where the folder cannot be used.
[[nodiscard]] std::unique_ptr<ModelStore> open_models(const Settings::Outbox& outbox);

/// The model to begin with: the one that the last job has activated, whatever `asked` names, else that. An
/// installed one that cannot be loaded any more is named in the log. Throws as Classifier does.
[[nodiscard]] std::shared_ptr<Classifier> first_model(const ModelStore& installed,
                                                      const ClassifierOptions& asked);

}  // namespace glimpse
