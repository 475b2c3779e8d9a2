#include "commands/doctor.hpp"

#include <algorithm>
#include <vector>

#include "commands/run_settings.hpp"
#include "core/shutdown.hpp"
#include "core/state_folder.hpp"
#include "diagnosis/engines.hpp"
#include "diagnosis/failure.hpp"
#include "diagnosis/link.hpp"
#include "diagnosis/machine.hpp"
#include "diagnosis/models.hpp"
#include "diagnosis/sources.hpp"
#include "diagnosis/storage.hpp"
#include "view/doctor_view.hpp"
#include "view/output.hpp"

namespace glimpse {
namespace {

using Examinations = std::vector<Examination>;

void append(Examinations& examinations, const Examinations& more) {
  examinations.insert(examinations.end(), more.begin(), more.end());
}

Examinations one(const Check& check) {
  return {{check.name, std::chrono::seconds(5), [check] { return Checks{check}; }}};
}

ClassifierOptions model_asked(const Settings& settings) {
  const Settings::Model& model = settings.model;
  ClassifierOptions asked{model.name, model.quantized, model.backend, model.threads, model.trust};
  if (settings.aws.jobs) asked.models = state_folder_name(settings.outbox.state) + "/models";
  return asked;
}

OutboxPlace outbox_place(const Settings& settings, const std::string& device) {
  const std::string folder = state_folder_name(settings.outbox.state);
  return {folder, folder + "/outbox-" + device + ".db",
          static_cast<std::uint64_t>(settings.outbox.max_mb) * 1'000'000};
}

/// From the settings to the broker; what they have wrong comes first, and nothing behind it can be looked at.
Examinations sending_examinations(const Settings& settings) {
  std::string device;
  try {
    (void)checked(settings);
    device = device_name(settings.telemetry);
  } catch (const Error& error) {
    return one(failure("settings", error));
  }
  const OutboxPlace place = outbox_place(settings, device);
  Examinations examinations;
  if (settings.telemetry.broker.empty()) {
    append(examinations, one(Check::skip("broker", "none is given, so records stay here",
                                         "--broker mqtts://HOST, or --config FILE that names one")));
    return examinations;
  }
  append(examinations, storage_examinations(place));
  append(examinations, link_examinations(broker_settings(settings, device),
                                         [place] { return running_glimpse(place.file); }));
  return examinations;
}

}  // namespace

int doctor(const Settings& settings, Shutdown& shutdown) {
  shutdown.set_last_words([] { return static_cast<int>(ExitCode::interrupted); });
  Output output([&] { shutdown.begin(); });
  DoctorView view(output, settings.json);
  int status = 0;
  const auto found = [&](const Check& check) {
    view.found(check);
    if (check.state == Check::State::fail && status == 0) status = static_cast<int>(check.code);
  };
  const auto begins = [&](const std::string& name) { view.begins(name); };
  const auto look_at = [&](const Examinations& examinations) {
    carry_out(examinations, shutdown.token(), begins, found);
  };

  look_at(machine_examinations(settings.model.threads));
  // Where the settings are wrong for a camera, sending_examinations() says so.
  Settings::Source source = settings.source;
  source.size = "";
  source.flip = "none";
  look_at(source_examinations(source_options(source, {})));
  Examinations models = model_examinations(model_asked(settings));
  append(models, engine_examinations(model_asked(settings)));
  look_at(models);
  look_at(sending_examinations(settings));
  view.finish();
  output.check();
  return status;
}

}  // namespace glimpse
