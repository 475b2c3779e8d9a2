#include "commands/bench_worker.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <nlohmann/json.hpp>

#include "capture/network.hpp"
#include "capture/test_pattern.hpp"
#include "capture/video_source.hpp"
#include "commands/model_switch.hpp"
#include "core/error.hpp"
#include "device/system_status.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/reporter.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::json;

// After a pause the caches are cold and the cores may sleep.
constexpr int uncounted_frames = 3;

struct Round {
  std::vector<double> network_ms, preprocess_ms;
  double fps = 0;

  void note(const Classification& result, double prepare_ms = 0) {
    network_ms.push_back(result.inference_ms);
    preprocess_ms.push_back(prepare_ms + result.preprocess_ms);
  }
};

Round still_round(Classifier& classifier, int frames) {
  const cv::Mat still = draw_test_pattern(0);
  Round round;
  for (int i = 0; i < uncounted_frames; ++i) (void)classifier.classify(still, 5);
  const auto start = Steady::now();
  for (int i = 0; i < frames; ++i) round.note(classifier.classify(still, 5));
  round.fps = frames / std::chrono::duration<double>(Steady::now() - start).count();
  return round;
}

/// The pipeline of `run`, and its own figure: frames a second from the first that is named to the last.
Round source_round(const std::shared_ptr<Classifier>& classifier, const BenchJob& job) {
  SourceOptions options;
  options.uri = job.source;
  options.loop = true;  // a short clip gives all the frames, too
  LiveSettings settings;
  settings.interval = std::chrono::hours(1);
  settings.top_k = 5;
  const SharedSettings live(settings);
  Reporter reporter({}, live, {}, [] { return std::nullopt; });
  ModelSwitch models(classifier);
  const Recognition steps = models.steps();
  Round round;
  std::array<double, Recognition::slots> prepare_ms{};
  const auto prepare = [&](const Frame& frame, std::size_t slot) {
    return prepare_ms[slot] = steps.prepare(frame, slot);
  };
  const auto classify = [&](std::size_t slot, int k) {  // all notes are taken here, in one thread
    Classification result = steps.classify(slot, k);
    round.note(result, prepare_ms[slot]);
    return result;
  };
  Pipeline pipeline(open_source(options), {prepare, classify}, reporter, live,
                    {static_cast<std::uint64_t>(job.frames), false, {}});
  (void)pipeline.wait_until(Steady::time_point::max(), {});
  if (const PipelineEnd end = pipeline.end(); end.code != ExitCode::ok) throw Error(end.code, end.reason);
  const RunTotals totals = reporter.totals();
  if (totals.classified < 2) {
    throw Error(ExitCode::bad_data,
                without_secrets(job.source) + ": ended before its second frame: no rate to tell");
  }
  round.fps = static_cast<double>(totals.classified - 1) / totals.seconds;
  return round;
}

void tell(const ChildProcess::Parent& parent, const Json& message) {
  parent.tell(message.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void serve(const BenchJob& job, const ChildProcess::Parent& parent) {
  try {
    if (!parent.wait_for_go()) return;
    const auto classifier = std::make_shared<Classifier>(job.model);
    const ClassifierInfo& info = classifier->info();
    if (!info.fallback.empty()) spdlog::warn("{}", info.fallback);
    tell(parent, {{"model", info.name},
                  {"backend", info.backend},
                  {"threads", info.threads},
                  {"model_mib", info.file_mib},
                  {"load_ms", info.load_ms}});
    while (parent.wait_for_go()) {
      const Round round =
          job.source.empty() ? still_round(*classifier, job.frames) : source_round(classifier, job);
      tell(parent, {{"network_ms", round.network_ms},
                    {"preprocess_ms", round.preprocess_ms},
                    {"fps", round.fps},
                    {"peak_rss_mb", peak_rss_mb().value_or(0)}});
    }
  } catch (const Error& error) {
    tell(parent, {{"error", error.what()}, {"code", static_cast<int>(error.code())}});
  } catch (const std::exception& error) {
    tell(parent, {{"error", error.what()}, {"code", static_cast<int>(ExitCode::internal)}});
  }
}

}  // namespace

BenchWorker::BenchWorker(const BenchJob& job, const std::stop_token& stop)
    : stop_(stop), process_([&job](const ChildProcess::Parent& parent) { serve(job, parent); }, stop) {}

Json BenchWorker::next() {
  const std::optional<std::string> text = process_.ask();
  if (stop_.stop_requested()) throw Error(ExitCode::interrupted, "stopped before the end: no result");
  if (!text) {
    throw Error(ExitCode::internal, "a measuring process has died; is there memory enough? (free -m)");
  }
  Json reply = Json::parse(*text);
  if (reply.contains("error")) throw Error(ExitCode{reply["code"].get<int>()}, reply["error"]);
  return reply;
}

}  // namespace glimpse
