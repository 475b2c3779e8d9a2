#include "commands/run.hpp"

#include <spdlog/spdlog.h>

#include <memory>
#include <optional>

#include "capture/video_source.hpp"
#include "commands/delivery.hpp"
#include "commands/display.hpp"
#include "commands/installed_models.hpp"
#include "commands/model_switch.hpp"
#include "commands/reload.hpp"
#include "commands/run_control.hpp"
#include "commands/run_settings.hpp"
#include "commands/summary.hpp"
#include "commands/web.hpp"
#include "config/live_change.hpp"
#include "core/bell.hpp"
#include "core/error.hpp"
#include "core/shutdown.hpp"
#include "device/identity.hpp"
#include "device/service_manager.hpp"
#include "inference/classifier.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/reporter.hpp"
#include "view/status_line.hpp"
#include "view/terminal.hpp"

namespace glimpse {
namespace {

/// Until the source has ended, the time is over or a stop is requested; a record for each interval meanwhile.
/// `look`: what is done besides, each time that the pipeline's wait ends.
void report_until_done(Pipeline& pipeline, Reporter& reporter, const SharedSettings& live,
                       const std::function<void()>& look, std::chrono::milliseconds duration, Pulse& pulse,
                       const std::stop_token& stop) {
  const auto start = Steady::now();
  const auto end = duration.count() > 0 ? start + duration : Steady::time_point::max();
  auto interval = live.get().interval;
  const auto one_interval_after = [&interval](Steady::time_point time) {
    return interval.count() > 0 ? time + interval : Steady::time_point::max();
  };
  auto next_record = one_interval_after(start);
  while (!pipeline.wait_until(std::min(next_record, end), stop) && !stop.stop_requested()) {
    const auto now = Steady::now();
    if (now >= end) return;  // the last interval's record comes with the end
    const Step step(pulse);
    look();
    if (interval != live.get().interval) {
      interval = live.get().interval;
      next_record = one_interval_after(now);
    }
    if (now < next_record) continue;
    reporter.tick();
    // After a suspended machine wakes up, one record is due and not a burst of old ones.
    do next_record += interval;
    while (next_record <= now);
  }
}

}  // namespace

int run(const Settings& settings, const std::function<Settings()>& reread, Shutdown& shutdown) {
  SharedSettings live(live_settings(settings));
  Bell bell;  // for this thread: a reload is asked for, or other settings hold
  ServiceManager service;
  const auto reread_checked = [&reread] { return checked(reread()); };
  Reload reload(shutdown, service, settings, reread ? std::function<Settings()>(reread_checked) : nullptr,
                bell);
  const std::string device = device_name(settings.telemetry);
  const SourceOptions source_asked = source_options(settings.source, shutdown.token());

  Display display(settings.json, [&] { shutdown.begin(); });
  // Both before the model, which takes its time: they may not be ours to take.
  WebAddressTaken web(settings);
  const auto outbox = take_outbox(settings, device, display.records());

  const auto installed = settings.aws.jobs ? open_models(settings.outbox) : nullptr;
  const ClassifierOptions asked{settings.model.name,    settings.model.quantized,
                                settings.model.backend, settings.model.threads,
                                settings.model.trust,   installed ? installed->folder() : ""};
  ModelSwitch models(installed ? first_model(*installed, asked) : std::make_shared<Classifier>(asked));
  const ClassifierInfo model = models.info();
  if (!model.fallback.empty()) spdlog::warn("{}", model.fallback);
  if (!model.choice.empty()) spdlog::info("{}", model.choice);
  display.announce(model_line(model));
  auto source = open_source(source_asked);
  display.announce("source " + source->info().description);
  warn_of_what_is_in_vain(settings.source, source->info());
  if (const std::string line = web.line(display.is_private()); !line.empty()) display.announce(line);

  const std::string boot = new_boot_id();
  const ModelIdentity identity{model.name, model.quantized, model.backend, model.sha256};
  RunControl control(live, identity, load_beside(models, asked), bell);
  Delivery delivery(settings, device, boot, outbox.get(), control, installed.get());
  // The outbox shows each record once it is safe.
  Sink* const to_outbox = outbox.get();
  Reporter reporter({host_name(), device, boot, identity}, live, outbox ? to_outbox : display.records(),
                    [&]() -> std::optional<DeliveryStatus> { return delivery.status(); });
  const auto print_summary = [&] { spdlog::info("{}", summary(reporter.totals(), delivery.status())); };
  shutdown.set_last_words([&] {
    TerminalGuard::leave();  // first: the summary may wait for a terminal that takes nothing
    print_summary();
    return 0;
  });

  PipelineEnd end;
  {
    const auto screen = display.open_screen([&] {
      return ConsoleView::Now{reporter.peek(), reporter.totals().classified};
    });
    const auto page = web.open(source->info().description, control, reporter, models, asked.models);
    Pipeline pipeline(std::move(source), models.steps(), reporter, live,
                      {static_cast<std::uint64_t>(settings.frames), settings.source.realtime,
                       settings.source.adapt ? std::optional(RateRules{}) : std::nullopt, web.tap()});
    const auto recording = std::make_shared<Pulse>("records");
    service.watch(recording);
    for (auto& pulse : pipeline.pulses()) service.watch(std::move(pulse));
    delivery.watched_by(service);
    const auto running = service.start([&] { return reporter.totals().classified > 0; },
                                       [&] { return to_status(reporter.peek()); });
    const Bell::Listener listener(bell, [&pipeline] { pipeline.wake(); });
    report_until_done(
        pipeline, reporter, live, [&] { reload.carry_out_if_asked(control); }, settings.duration, *recording,
        shutdown.token());
    delivery.request_stop();
    control.end();
    end = pipeline.end();
  }
  reporter.finish();
  delivery.finish(shutdown.token().stop_requested());
  print_summary();
  const int status = exit_status(end, reporter.totals(), delivery.status(), shutdown.by_signal());
  shutdown.set_last_words([status] { return status; });
  display.check();
  shutdown.limit();  // a model that is still being loaded cannot be broken off
  return status;
}

}  // namespace glimpse
