#include "commands/bench_worker.hpp"

#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>

#include "capture/test_pattern.hpp"
#include "capture/video_source.hpp"
#include "commands/recognition.hpp"
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
Round source_round(Classifier& classifier, const BenchJob& job) {
  SourceOptions options;
  options.uri = job.source;
  options.loop = true;  // a short clip gives all the frames, too
  Reporter reporter({}, std::chrono::hours(1), {}, [] { return OutboxCounts{}; });
  const Recognition steps = recognition_by(classifier);
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
  Pipeline pipeline(open_source(options), {prepare, classify}, reporter,
                    {5, static_cast<std::uint64_t>(job.frames), false});
  (void)pipeline.wait_until(Steady::time_point::max(), {});
  if (const PipelineEnd end = pipeline.end(); end.code != ExitCode::ok) throw Error(end.code, end.reason);
  const RunTotals totals = reporter.totals();
  if (totals.classified < 2) {
    throw Error(ExitCode::bad_data, job.source + ": ended before its second frame: no rate to tell");
  }
  round.fps = static_cast<double>(totals.classified - 1) / totals.seconds;
  return round;
}

void tell(int fd, const Json& message) {
  const std::string text = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t written = ::write(fd, text.data() + at, text.size() - at);
    if (written < 0 && errno != EINTR) return;  // nobody listens any more
    if (written > 0) at += static_cast<std::size_t>(written);
  }
}

bool wait_for_go(int fd) {
  char go = 0;
  ssize_t got = 0;
  while ((got = ::read(fd, &go, 1)) < 0 && errno == EINTR) {
  }
  return got == 1;
}

void serve(const BenchJob& job, int go, int reply) {
  try {
    if (!wait_for_go(go)) return;
    Classifier classifier(job.model);
    const ClassifierInfo& info = classifier.info();
    if (!info.fallback.empty()) spdlog::warn("{}", info.fallback);
    tell(reply, {{"model", info.name},
                 {"backend", info.backend},
                 {"threads", info.threads},
                 {"model_mib", info.file_mib},
                 {"load_ms", info.load_ms}});
    while (wait_for_go(go)) {
      const Round round =
          job.source.empty() ? still_round(classifier, job.frames) : source_round(classifier, job);
      tell(reply, {{"network_ms", round.network_ms},
                   {"preprocess_ms", round.preprocess_ms},
                   {"fps", round.fps},
                   {"peak_rss_mb", peak_rss_mb().value_or(0)}});
    }
  } catch (const Error& error) {
    tell(reply, {{"error", error.what()}, {"code", static_cast<int>(error.code())}});
  } catch (const std::exception& error) {
    tell(reply, {{"error", error.what()}, {"code", static_cast<int>(ExitCode::internal)}});
  }
}

}  // namespace

BenchWorker::BenchWorker(const BenchJob& job, const std::stop_token& stop) : stop_(stop) {
  int to_it[2], from_it[2];
  if (::pipe(to_it) != 0 || ::pipe(from_it) != 0 || (pid_ = ::fork()) < 0) {
    throw Error(ExitCode::internal, "cannot start a process to measure in: out of memory or of processes");
  }
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)std::signal(SIGINT, SIG_IGN);  // the terminal sends it to us, too: stopping is the parent's
    (void)std::signal(SIGTERM, SIG_DFL);
    ::close(to_it[1]);
    ::close(from_it[0]);
    serve(job, to_it[0], from_it[1]);
    ::_exit(0);
  }
  ::close(to_it[0]);
  ::close(from_it[1]);
  go_ = to_it[1];
  reply_ = from_it[0];
  kill_on_stop_.emplace(stop, [pid = pid_] { ::kill(pid, SIGKILL); });
}

BenchWorker::~BenchWorker() {
  kill_on_stop_.reset();  // once it is waited for, its number may be another's
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::close(go_);
  ::close(reply_);
}

Json BenchWorker::next() {
  std::string text;
  if (::write(go_, "g", 1) == 1) {
    char buffer[4096];
    while (!text.ends_with('\n')) {
      const ssize_t got = ::read(reply_, buffer, sizeof buffer);
      if (got == 0 || (got < 0 && errno != EINTR)) break;
      if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    }
  }
  if (stop_.stop_requested()) throw Error(ExitCode::interrupted, "stopped before the end: no result");
  if (!text.ends_with('\n')) {
    throw Error(ExitCode::internal, "a measuring process has died; is there memory enough? (free -m)");
  }
  Json reply = Json::parse(text);
  if (reply.contains("error")) throw Error(ExitCode{reply["code"].get<int>()}, reply["error"]);
  return reply;
}

}  // namespace glimpse
