#include "commands/reload.hpp"

#include <atomic>
#include <csignal>

#include "captured_log.hpp"
#include "catch.hpp"
#include "core/error.hpp"
#include "core/shutdown.hpp"
#include "device/service_manager.hpp"

using namespace glimpse;

namespace {

/// Another value than the one that is there.
struct Alter {
  void operator()(std::string* value) const { *value += "x"; }
  void operator()(bool* value) const { *value = !*value; }
  void operator()(int* value) const { ++*value; }
  void operator()(double* value) const { *value /= 2; }
  void operator()(std::chrono::milliseconds* value) const { ++*value; }
};

/// A run whose file says what `file` does.
struct Run {
  Settings file;
  SharedSettings live{live_settings(file)};
  CapturedLog log;
  Shutdown shutdown{false};  // whether this test has a terminal or not
  ServiceManager service{ServiceSeams{}};
  Reload reload{shutdown, service, file, [this] { return file; }, live};
};

}  // namespace

TEST_CASE("Just the settings that are marked as live are among those that the pipeline reads") {
  Settings settings;
  const Settings before = settings;
  std::vector<std::string> live;
  for (const Setting& setting : settings_table(settings)) {
    settings = before;
    std::visit(Alter{}, setting.field);
    CAPTURE(setting.flag);
    CHECK(setting.live == (live_settings(settings) != live_settings(before)));
    if (setting.live) live.push_back(setting.path);
  }
  CHECK(live == std::vector<std::string>{"model.top_k", "telemetry.interval_s", "telemetry.event_hold_s",
                                         "telemetry.event_confidence", "telemetry.events_per_hour"});
}

TEST_CASE("Each setting of a file that differs is a change, with its new value") {
  Settings settings;
  const Settings before = settings;
  CHECK(changes(before, settings).empty());
  for (const Setting& setting : settings_table(settings)) {
    settings = before;
    std::visit(Alter{}, setting.field);
    const auto found = changes(before, settings);
    CAPTURE(setting.flag);
    if (setting.path.empty() && setting.flag != "--backend") {  // bench has that one, too
      CHECK(found.empty());
    } else {
      REQUIRE(found.size() == 1);
      if (!setting.path.empty()) CHECK(found[0].path == setting.path);
      CHECK(found[0].live == setting.live);
    }
  }
  settings = before;
  settings.telemetry.interval = std::chrono::milliseconds(250);
  CHECK(changes(before, settings).at(0).value == "0.25");
}

TEST_CASE("Nothing is done that was not asked for") {
  Run run;
  run.file.model.top_k = 3;
  run.reload.carry_out_if_asked();
  CHECK(run.live.get().top_k == 10);
}

TEST_CASE("A listener hears of what was asked for before it came, and of nothing after it has gone") {
  Run run;
  (void)std::raise(SIGHUP);
  int heard = 0;
  const auto hears = [&](auto condition) {
    for (const auto until = Steady::now() + std::chrono::seconds(60); !condition() && Steady::now() < until;)
      std::this_thread::yield();
    return condition();
  };
  run.file.model.top_k = 3;
  // The signal takes its way through another thread.
  CHECK(hears([&] {
    run.reload.carry_out_if_asked();
    return run.live.get().top_k == 3;
  }));
  std::atomic<int> woken{0};
  {
    const Reload::Listener listener(run.reload, [&] { ++woken; });
    CHECK(woken == 0);
    (void)std::raise(SIGHUP);
    CHECK(hears([&] { return woken == 1; }));
  }
  {
    const Reload::Listener late(run.reload, [&] { ++heard; });
    CHECK(heard == 1);
  }
  CHECK_FALSE(run.shutdown.token().stop_requested());
}
