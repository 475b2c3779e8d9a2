#include "commands/reload.hpp"

#include <atomic>
#include <csignal>

#include "captured_log.hpp"
#include "catch.hpp"
#include "core/bell.hpp"
#include "core/error.hpp"
#include "core/shutdown.hpp"
#include "core/waiting.hpp"
#include "device/service_manager.hpp"

using namespace glimpse;

namespace {

/// Answers when the test says so.
struct Asked : SettingsControl {
  struct One {
    SettingsChange change;
    std::function<void(const std::vector<Refusal>&)> done;
  };
  std::vector<One> all;

  [[nodiscard]] InForce in_force() const override { return {}; }
  void ask(SettingsChange change, std::function<void(const std::vector<Refusal>&)> done) override {
    all.push_back({std::move(change), std::move(done)});
  }
};

/// A run whose file says what `file` does.
struct Run {
  Settings file;
  CapturedLog log;
  Bell bell;
  Shutdown shutdown{false};  // whether this test has a terminal or not
  ServiceManager service{ServiceSeams{}};
  Reload reload{shutdown, service, file, [this] { return file; }, bell};
  Asked asked;
  std::atomic<int> rung{0};

  /// The signal takes its way through another thread.
  void hang_up() {
    const Bell::Listener listener(bell, [this] { ++rung; });
    const int before = rung;
    (void)std::raise(SIGHUP);
    const auto until = Steady::now() + std::chrono::seconds(60);
    while (rung == before && Steady::now() < until) std::this_thread::yield();
    REQUIRE(rung > before);
  }
  void look() { reload.carry_out_if_asked(asked); }
};

}  // namespace

TEST_CASE("Nothing is done that was not asked for") {
  Run run;
  run.file.model.top_k = 3;
  run.look();
  CHECK(run.asked.all.empty());
}

TEST_CASE("What the file has otherwise is asked for, once, and told when it holds") {
  Run run;
  run.file.model.top_k = 3;
  run.file.model.quantized = true;
  run.hang_up();
  run.look();
  REQUIRE(run.asked.all.size() == 1);
  CHECK(run.asked.all[0].change.top_k == 3);
  CHECK(run.asked.all[0].change.quantized == true);
  CHECK_FALSE(run.asked.all[0].change.model);
  CHECK_FALSE(run.asked.all[0].change.interval);
  CHECK(run.log.count("reload:") == 0);
  run.asked.all[0].done({});
  CHECK(run.log.count("reload: model.quantized is true, model.top_k is 3") == 1);
  run.hang_up();
  run.look();
  CHECK(run.asked.all.size() == 1);
  CHECK(run.log.count("reload: nothing changes now") == 1);
  CHECK_FALSE(run.shutdown.token().stop_requested());
}

TEST_CASE("What was refused is told, and asked for again by the next reload") {
  Run run;
  run.file.model.name = "unknown";
  for (int times = 1; times <= 2; ++times) {
    run.hang_up();
    run.look();
    REQUIRE(run.asked.all.size() == static_cast<std::size_t>(times));
    run.asked.all.back().done({{"model", "no model 'unknown'"}});
    CHECK(run.log.count("reload: nothing changes: model: no model 'unknown'\n") == times);
  }
  run.hang_up();
  run.look();
  run.asked.all.back().done({{"", "8 changes wait already"}});
  CHECK(run.log.count("reload: nothing changes: 8 changes wait already\n") == 1);
}

TEST_CASE("A reload that is asked for during another begins after it, and its time is told") {
  Run run;
  run.file.model.top_k = 3;
  run.hang_up();
  run.look();
  run.file.model.top_k = 4;
  run.hang_up();
  run.look();
  CHECK(run.asked.all.size() == 1);
  const Bell::Listener listener(run.bell, [&] { ++run.rung; });
  const int before = run.rung;
  run.asked.all[0].done({});
  CHECK(run.rung == before + 1);
  run.look();
  REQUIRE(run.asked.all.size() == 2);
  CHECK(run.asked.all[1].change.top_k == 4);
}

TEST_CASE("A signal that came before anybody listened is heard") {
  Run run;
  run.file.model.top_k = 3;
  (void)std::raise(SIGHUP);
  const auto until = Steady::now() + std::chrono::seconds(60);
  while (run.asked.all.empty() && Steady::now() < until) run.look();
  CHECK(run.asked.all.size() == 1);
}
