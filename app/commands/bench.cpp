#include "commands/bench.hpp"

#include <spdlog/spdlog.h>

#include <list>
#include <nlohmann/json.hpp>

#include "capture/network.hpp"
#include "capture/quiet.hpp"
#include "commands/bench_worker.hpp"
#include "core/error.hpp"
#include "core/percentile.hpp"
#include "core/shutdown.hpp"
#include "inference/model_package.hpp"
#include "inference/processor.hpp"
#include "view/bench_view.hpp"
#include "view/output.hpp"
#include "view/progress_bar.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::json;

/// Float and int8, where the model has them, on each backend that can run, or on the one asked for.
std::vector<BenchJob> combinations(const Settings& settings) {
  const Settings::Model& model = settings.model;
  const auto folder = find_model(model.name);
  std::vector<BenchJob> jobs;
  std::string known = "auto";
  for (const bool quantized : {false, true}) {
    if (!has_form(folder, quantized)) continue;
    for (const std::string& backend : runnable_backends(quantized)) {
      if (known.find(backend) == std::string::npos) known += ", " + backend;
      if (model.backend != "auto" && model.backend != backend) continue;
      const ClassifierOptions asked{model.name, quantized, backend, model.threads, model.trust};
      jobs.push_back({asked, settings.bench.source, settings.bench.frames});
    }
  }
  if (jobs.empty()) {
    throw Error(ExitCode::usage,
                "--backend " + model.backend + ": this build runs " + folder.string() + " on " + known);
  }
  return jobs;
}

/// A combination with what its rounds have told so far.
struct Combination {
  Combination(const BenchJob& job, const std::stop_token& stop)
      : quantized(job.model.quantized), worker(job, stop) {}

  void load() { loaded = worker.next(); }
  void round() {
    const Json told = worker.next();
    for (const double ms : told.at("network_ms")) network_ms.push_back(ms);
    for (const double ms : told.at("preprocess_ms")) preprocess_ms.push_back(ms);
    fps.push_back(told.at("fps"));
    peak_rss_mb = told.at("peak_rss_mb");
  }
  [[nodiscard]] BenchResult result() const {
    return {loaded.at("model"),   quantized,
            loaded.at("backend"), loaded.at("threads"),
            timings(network_ms),  timings(preprocess_ms),
            median(fps),          loaded.at("model_mib"),
            loaded.at("load_ms"), peak_rss_mb};
  }

  bool quantized;
  BenchWorker worker;
  Json loaded;
  std::vector<double> network_ms, preprocess_ms, fps;
  double peak_rss_mb = 0;
};

std::string plan_line(const Settings& settings, std::size_t combinations) {
  const auto& [source, frames, rounds] = settings.bench;
  return "model " + find_model(settings.model.name).string() + ", " +
         (source.empty() ? "a still of 640x480" : without_secrets(source)) + ": " +
         std::to_string(combinations) + " combinations, " + std::to_string(rounds) + " rounds of " +
         std::to_string(frames) + " frames";
}

}  // namespace

int bench(const Settings& settings, Shutdown& shutdown) {
  shutdown.set_last_words([] { return static_cast<int>(ExitCode::interrupted); });
  quiet_libraries();
  Output output([&] { shutdown.begin(); });
  const std::vector<BenchJob> jobs = combinations(settings);
  const std::string plan = plan_line(settings, jobs.size());
  settings.json ? spdlog::info("{}", plan) : output.write(plan + "\n");

  std::list<Combination> running;
  for (const BenchJob& job : jobs) running.emplace_back(job, shutdown.token());
  for (Combination& combination : running) combination.load();
  const auto turns = jobs.size() * static_cast<std::size_t>(settings.bench.rounds);
  {
    ProgressBar progress(turns);
    for (std::size_t turn = 0; turn < turns;) {
      for (Combination& combination : running) {
        progress.show(turn++);
        combination.round();
      }
    }
  }

  std::vector<BenchResult> results;
  for (const Combination& combination : running) results.push_back(combination.result());
  if (settings.json) {
    const BenchMachine on{this_machine(), processor_name(), libtorch_version(), GLIMPSE_VERSION,
                          SystemMeter().read()};
    for (const BenchResult& result : results) output.write(bench_json(result, on) + "\n");
  } else {
    output.write("\n" + bench_text(results));
  }
  output.check();
  return 0;
}

}  // namespace glimpse
