#include "commands/installed_models.hpp"

#include <spdlog/spdlog.h>

#include "core/error.hpp"
#include "core/state_folder.hpp"

namespace glimpse {

std::unique_ptr<ModelStore> open_models(const Settings::Outbox& outbox) {
  return std::make_unique<ModelStore>(state_folder(outbox.state) + "/models");
}

std::shared_ptr<Classifier> first_model(const ModelStore& installed, const ClassifierOptions& asked) {
  const auto active = installed.active();
  if (!active) return std::make_shared<Classifier>(asked);
  ClassifierOptions options = asked;
  options.model = installed.model(active->name);
  options.quantized = active->quantized;
  options.trust = false;
  try {
    auto model = std::make_shared<Classifier>(options);
    spdlog::info(
        "the model is the one that the last job has installed; the configured one is used again without {}",
        installed.marker().string());
    return model;
  } catch (const Error& error) {
    spdlog::warn("the model that the last job has installed cannot be loaded, the configured one is used: {}",
                 error.what());
    return std::make_shared<Classifier>(asked);
  }
}

}  // namespace glimpse
