// What --jobs adds to a run: the models that AWS IoT jobs install, and the jobs themselves.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "core/live_settings.hpp"
#include "inference/classifier.hpp"
#include "installation/installer.hpp"
#include "installation/model_store.hpp"
#include "telemetry/aws/jobs.hpp"

namespace glimpse {

class RunJobs {
 public:
  /// Before any model is loaded: what an earlier run's end has cut short is undone here. Throws
  /// Error(configuration) where the models' folder cannot be used.
  explicit RunJobs(const Settings& settings);

  /// `asked`, and names are looked up among the installed ones first.
  [[nodiscard]] ClassifierOptions with_installed(ClassifierOptions asked) const;
  /// The model to begin with: the one that the last job has activated, whatever `asked` names, else that. An
  /// installed one that cannot be loaded any more is named in the log. Throws as Classifier does.
  [[nodiscard]] std::shared_ptr<Classifier> first_model(const ClassifierOptions& asked) const;

  /// From here on jobs can be carried out. `control` must outlive this, and the publisher must not.
  void begin(const std::string& thing, SettingsControl& control);
  /// For the publisher.
  [[nodiscard]] Conversation& conversation() { return *jobs_; }
  /// Begins the end, for which the destructor waits about 1 s at most.
  void request_stop();

 private:
  InstallerSettings installing_;
  ModelStore store_;
  std::unique_ptr<Installer> installer_;
  std::unique_ptr<Jobs> jobs_;
};

}  // namespace glimpse
