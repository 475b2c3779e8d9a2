#include "commands/run.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "capture/video_source.hpp"
#include "commands/cloud.hpp"
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
#include "telemetry/outbox/outbox.hpp"
#include "telemetry/publisher.hpp"
#include "view/console_view.hpp"
#include "view/lines_view.hpp"
#include "view/log.hpp"
#include "view/status_line.hpp"
#include "view/terminal.hpp"

namespace glimpse {
namespace {

// How long the last records may wait for their acknowledgement: when the source has ended, and when somebody
// wants us gone.
constexpr auto patience_at_end = std::chrono::seconds(10);
constexpr auto patience_at_stop = std::chrono::milliseconds(500);

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

/// What prints each record; nothing where the live screen takes its place, and in the journal, where a line
/// each second would bury the log: there `systemctl status` shows the state.
std::unique_ptr<Sink> record_view(Output& output, bool json, bool live_screen) {
  if (json) return std::make_unique<JsonView>(output);
  if (live_screen || is_journal(STDOUT_FILENO)) return nullptr;
  return std::make_unique<LinesView>(output);
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
  const bool has_broker = !settings.telemetry.broker.empty();
  const BrokerSettings broker = broker_settings(settings, device);
  if (has_broker)
    validate_broker(broker);
  else
    refuse_aws_without_broker(settings.aws);
  const SourceOptions source_asked = source_options(settings.source, shutdown.token());

  Output output([&] { shutdown.begin(); });
  const bool to_log = settings.json || is_journal(STDOUT_FILENO);
  const auto announce = [&](const std::string& line) {  // with --json standard output is for records alone
    to_log ? spdlog::info("{}", line) : output.write(line + "\n");
  };
  const bool live_screen = !settings.json && is_live_terminal();
  const auto view = record_view(output, settings.json, live_screen);
  WebAddressTaken web(settings);  // before the model: it may not be ours to take
  std::optional<Outbox> outbox;   // before the model: another process may have it
  if (has_broker) outbox.emplace(outbox_settings(settings.outbox, device), view.get());

  const auto installed = settings.aws.jobs ? open_models(settings.outbox) : nullptr;
  const ClassifierOptions asked{settings.model.name,    settings.model.quantized,
                                settings.model.backend, settings.model.threads,
                                settings.model.trust,   installed ? installed->folder() : ""};
  ModelSwitch models(installed ? first_model(*installed, asked) : std::make_shared<Classifier>(asked));
  const ClassifierInfo model = models.info();
  if (!model.fallback.empty()) spdlog::warn("{}", model.fallback);
  if (!model.choice.empty()) spdlog::info("{}", model.choice);
  announce(model_line(model));
  auto source = open_source(source_asked);
  announce("source " + source->info().description);
  warn_of_what_is_in_vain(settings.source, source->info());
  if (const std::string line = web.line(!to_log && ::isatty(STDOUT_FILENO) == 1); !line.empty())
    announce(line);

  const std::string boot = new_boot_id();
  const ModelIdentity identity{model.name, model.quantized, model.backend, model.sha256};
  RunControl control(live, identity, load_beside(models, asked), bell);
  Cloud cloud(settings, device, control, installed.get());
  std::optional<Publisher> publisher;
  const auto model_in_use = [&control] { return control.in_force().model; };
  if (has_broker)
    publisher.emplace(broker, StatusMessage{GLIMPSE_VERSION, device, boot, model_in_use}, *outbox,
                      cloud.conversations());
  const auto link = [&] { return publisher ? std::optional(publisher->status()) : std::nullopt; };
  std::vector<Sink*> sinks;  // the outbox shows each record once it is safe
  if (outbox) sinks.push_back(&*outbox);
  if (view && !outbox) sinks.push_back(view.get());

  Reporter reporter({host_name(), device, boot, identity}, live, sinks,
                    [&]() -> std::optional<DeliveryStatus> { return link(); });
  const auto print_summary = [&] { spdlog::info("{}", summary(reporter.totals(), link())); };
  shutdown.set_last_words([&] {
    print_summary();
    TerminalGuard::leave();
    return 0;
  });

  PipelineEnd end;
  {
    std::optional<ConsoleView> console;
    if (live_screen) {
      console.emplace(output, [&] {
        return ConsoleView::Now{reporter.peek(), reporter.totals().classified};
      });
      log_above(&*console);
    }
    const auto page = web.open(source->info().description, control, reporter, models, asked.models);
    Pipeline pipeline(std::move(source), models.steps(), reporter, live,
                      {static_cast<std::uint64_t>(settings.frames), settings.source.realtime,
                       settings.source.adapt ? std::optional(RateRules{}) : std::nullopt, web.tap()});
    const auto recording = std::make_shared<Pulse>("records");
    service.watch(recording);
    for (auto& pulse : pipeline.pulses()) service.watch(std::move(pulse));
    if (outbox) service.watch(outbox->pulse());
    if (publisher) service.watch(publisher->pulse());
    const auto running = service.start([&] { return reporter.totals().classified > 0; },
                                       [&] { return to_status(reporter.peek()); });
    const Bell::Listener listener(bell, [&pipeline] { pipeline.wake(); });
    report_until_done(
        pipeline, reporter, live, [&] { reload.carry_out_if_asked(control); }, settings.duration, *recording,
        shutdown.token());
    cloud.request_stop();
    control.end();
    end = pipeline.end();
    log_above(nullptr);
  }
  reporter.finish();
  const bool stopped = shutdown.token().stop_requested();
  if (outbox) outbox->flush(stopped ? Steady::duration(patience_at_stop) : patience_at_end);
  if (publisher) publisher->finish(stopped ? Steady::duration(patience_at_stop) : patience_at_end);
  print_summary();
  const int status = exit_status(end, reporter.totals(), link(), shutdown.by_signal());
  shutdown.set_last_words([status] { return status; });
  output.check();
  shutdown.limit();  // a model that is still being loaded cannot be broken off
  return status;
}

}  // namespace glimpse
