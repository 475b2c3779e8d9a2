#include "commands/doctor.hpp"

#include <functional>
#include <optional>
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

/// What is wrong with the settings; nothing where a run would take them.
std::optional<Check> settings_fault(const Settings& settings) {
  try {
    (void)checked(settings);
    return std::nullopt;
  } catch (const Error& error) {
    return failure("settings", error);
  }
}

Examinations sending_examinations(const Settings& settings) {
  if (settings.telemetry.broker.empty())
    return one(Check::ok("broker", "none is given, so records stay here",
                         "--broker mqtts://HOST, or --config FILE that names one"));
  const std::string device = device_name(settings.telemetry);
  const OutboxPlace place = outbox_place(settings, device);
  Examinations examinations = storage_examinations(place);
  append(examinations, link_examinations(broker_settings(settings, device),
                                         [place] { return running_glimpse(place.file); }));
  return examinations;
}

/// What is wrong with the settings comes first, and takes the way to the broker along.
void look_at_all(const Settings& settings, const std::function<void(const Examinations&)>& look_at) {
  const auto wrong = settings_fault(settings);
  if (wrong) look_at(one(*wrong));
  look_at(machine_examinations(settings.model.threads, !settings.telemetry.broker.empty()));
  Settings::Source source = settings.source;
  if (wrong) {  // with these, perhaps
    source.size = "";
    source.flip = "none";
  }
  look_at(source_examinations(source_options(source, {})));
  Examinations models = model_examinations(model_asked(settings));
  append(models, engine_examinations(model_asked(settings)));
  look_at(models);
  if (!wrong) look_at(sending_examinations(settings));
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
  try {
    look_at_all(settings, [&](const Examinations& examinations) {
      carry_out(examinations, shutdown.token(), begins, found);
    });
    view.finish();
  } catch (const Error& error) {
    if (error.code() != ExitCode::interrupted || shutdown.by_signal()) throw;
    // Who reads has left, or can take no more.
  }
  output.check();
  return status;
}

}  // namespace glimpse
