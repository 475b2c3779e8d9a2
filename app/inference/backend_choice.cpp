#include "inference/backend_choice.hpp"

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <torch/script.h>
#include <xnnpack.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <limits>
#include <list>
#include <vector>

#include "core/child_process.hpp"
#include "core/error.hpp"
#include "inference/processor.hpp"

namespace glimpse {
namespace {

using Clock = std::chrono::steady_clock;

struct Candidate {
  std::string backend;
  bool amx = true;
  [[nodiscard]] std::string name() const { return backend + (amx ? "" : " without AMX"); }
};

/// The likely fastest first.
std::vector<Candidate> candidates_for(const ClassifierOptions& options) {
  const std::vector<std::string> runnable = runnable_backends(options.quantized);
  std::vector<Candidate> candidates;
  std::string known = "auto";
  for (const std::string& backend : runnable) known += ", " + backend;
  for (auto backend = runnable.rbegin(); backend != runnable.rend(); ++backend) {
    if (options.backend != "auto" && options.backend != *backend) continue;
    candidates.push_back({*backend, options.amx.value_or(true)});
    const bool may_choose = !options.amx && has_amx() && std::getenv("DNNL_MAX_CPU_ISA") == nullptr;
    if (*backend == "onednn" && options.quantized && may_choose) candidates.push_back({*backend, false});
  }
  if (candidates.empty()) {
    throw Error(ExitCode::usage, "--backend " + options.backend + ": this build runs a" +
                                     (options.quantized ? "n int8" : " float") + " model on " + known);
  }
  return candidates;
}

/// Which file a function was loaded from, and which version of it.
std::string origin(const void* function) {
  Dl_info info{};
  struct stat file {};
  if (::dladdr(function, &info) == 0 || ::stat(info.dli_fname, &file) != 0) return "?";
  return std::to_string(file.st_size) + "-" + std::to_string(file.st_mtime);
}

std::string libraries() {
  return "glimpse " + origin(reinterpret_cast<const void*>(&libraries)) + ", torch " +
         origin(reinterpret_cast<const void*>(&at::globalContext)) + ", onednn " +
         origin(reinterpret_cast<const void*>(&dnnl_version)) + ", xnnpack " +
         origin(reinterpret_cast<const void*>(&xnn_initialize));
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &local)};
}

/// A candidate in a process of its own, timed whenever it is asked.
class Trial {
 public:
  Trial(ClassifierOptions options, const Candidate& candidate)
      : candidate_(candidate),
        process_(
            [&](const ChildProcess::Parent& parent) {
              options.backend = candidate.backend;
              options.amx = candidate.amx;
              serve(options, parent);
            },
            {}) {}

  /// Nothing where it fails, falls back to another, or does not come to an end within `limit`.
  [[nodiscard]] std::optional<double> ask(std::chrono::milliseconds limit) {
    const std::string told = process_.ask(limit).value_or("");
    if (told.empty()) return std::nullopt;
    ms_ = std::min(ms_, std::stod(told));
    return ms_;
  }
  [[nodiscard]] const Candidate& candidate() const { return candidate_; }
  [[nodiscard]] double ms() const { return ms_; }  // the shortest so far

 private:
  static void serve(const ClassifierOptions& options, const ChildProcess::Parent& parent) {
    try {
      if (!parent.wait_for_go()) return;
      Classifier classifier(options);
      if (!classifier.info().fallback.empty()) return;  // it says why where it is chosen all the same
      do parent.tell(std::to_string(shortest_ms(classifier)));
      while (parent.wait_for_go());
    } catch (const std::exception&) {  // as good as not there
    }
  }

  Candidate candidate_;
  double ms_ = std::numeric_limits<double>::infinity();
  ChildProcess process_;
};

}  // namespace

double shortest_ms(Classifier& classifier) {
  constexpr auto budget = std::chrono::milliseconds(100);
  constexpr int least_runs = 2, most_runs = 25;
  const cv::Mat picture(224, 224, CV_8UC3, cv::Scalar::all(127));
  double shortest = classifier.classify(picture, 1).inference_ms;
  const auto end = Clock::now() + budget;
  for (int run = 1; run < most_runs && (run < least_runs || Clock::now() < end); ++run) {
    shortest = std::min(shortest, classifier.classify(picture, 1).inference_ms);
  }
  return shortest;
}

BackendChoice choose_backend(const ClassifierOptions& options, const std::string& model_sha256, int threads) {
  const std::vector<Candidate> candidates = candidates_for(options);
  BackendChoice choice{candidates.front().backend, candidates.front().amx, {}, ""};
  if (candidates.size() == 1) return choice;
  const ChoiceKey key{model_sha256, options.backend, processor_name(), libraries(), threads};
  const ChoiceCache cache;
  if (const auto known = cache.recall(key)) return *known;
  if (options.beside) {
    spdlog::info("backend {}, untimed: while another network runs none can be timed; it is at the next start",
                 choice.backend);
    return choice;
  }

  spdlog::info("timing {} backends for this model on this machine, once", candidates.size());
  auto limit = std::chrono::milliseconds(60'000);  // a busy Pi may load that long
  std::list<Trial> trials;
  for (const Candidate& candidate : candidates) {
    const auto start = Clock::now();
    if (!trials.emplace_back(options, candidate).ask(limit)) {
      trials.pop_back();
      continue;
    }
    // Who needs so much longer to load and run a few times will not be the fastest.
    const auto took = std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - start);
    limit = std::min(limit, 3 * took + std::chrono::seconds(1));
  }
  if (trials.empty()) {
    spdlog::warn("none of them could be timed (in {} s): backend {}", limit.count() / 1000, choice.backend);
    return choice;
  }
  const auto faster = [](const Trial& a, const Trial& b) { return a.ms() < b.ms(); };
  // Again, in turn, for those that are near: a bad moment of the machine must not decide for good.
  for (int round = 0; round < 2; ++round) {
    const double near = 3 * std::min_element(trials.begin(), trials.end(), faster)->ms();
    for (Trial& trial : trials) {
      if (trial.ms() < near) (void)trial.ask(limit);
    }
  }
  for (const Trial& trial : trials) choice.times_ms[trial.candidate().name()] = trial.ms();
  const Candidate& fastest = std::min_element(trials.begin(), trials.end(), faster)->candidate();
  choice.backend = fastest.backend;
  choice.amx = fastest.amx;
  choice.measured_on = today();
  cache.remember(key, choice);
  return choice;
}

std::string describe(const BackendChoice& choice) {
  std::vector<std::pair<double, std::string>> fastest_first;
  for (const auto& [name, ms] : choice.times_ms) fastest_first.emplace_back(ms, name);
  std::sort(fastest_first.begin(), fastest_first.end());
  std::string text;
  for (const auto& [ms, name] : fastest_first) {
    char number[32];
    std::snprintf(number, sizeof number, " %.2f ms", ms);
    text += name + number + ", ";
  }
  return text.empty() ? "" : text + "measured on " + choice.measured_on;
}

}  // namespace glimpse
