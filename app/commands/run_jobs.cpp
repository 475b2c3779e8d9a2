#include "commands/run_jobs.hpp"

#include <spdlog/spdlog.h>

#include "core/error.hpp"
#include "core/state_folder.hpp"

namespace glimpse {

RunJobs::RunJobs(const Settings& settings) : store_(state_folder(settings.outbox.state) + "/models") {
  installing_.ca_file = settings.telemetry.ca;
  installing_.proxy = settings.telemetry.proxy;
}

ClassifierOptions RunJobs::with_installed(ClassifierOptions asked) const {
  asked.models = store_.folder();
  return asked;
}

std::shared_ptr<Classifier> RunJobs::first_model(const ClassifierOptions& asked) const {
  if (const auto active = store_.active()) {
    ClassifierOptions installed = with_installed(asked);
    installed.model = store_.model(active->name);
    installed.quantized = active->quantized;
    try {
      auto model = std::make_shared<Classifier>(installed);
      spdlog::info(
          "the model is the one that the last job has installed, whatever the configuration says; it is that "
          "one's again without {}",
          store_.marker().string());
      return model;
    } catch (const Error& error) {
      spdlog::warn(
          "the model that the last job has installed cannot be loaded, the configured one is used: {}",
          error.what());
    }
  }
  return std::make_shared<Classifier>(with_installed(asked));
}

void RunJobs::begin(const std::string& thing, SettingsControl& control) {
  installer_ = std::make_unique<Installer>(store_, control, installing_);
  jobs_ = std::make_unique<Jobs>(thing, *installer_);
}

void RunJobs::request_stop() {
  if (installer_) installer_->request_stop();
}

}  // namespace glimpse
