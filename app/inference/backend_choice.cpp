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

/// The shortest time of some runs of the network: what else the machine does only makes them longer.
double shortest_ms(const ClassifierOptions& options) {
  constexpr auto budget = std::chrono::milliseconds(200);
  constexpr int least_runs = 3, most_runs = 50;
  Classifier classifier(options);
  if (!classifier.info().fallback.empty()) throw Error(ExitCode::bad_data, classifier.info().fallback);
  const cv::Mat picture(224, 224, CV_8UC3, cv::Scalar::all(127));
  double shortest = classifier.classify(picture, 1).inference_ms;
  const auto end = Clock::now() + budget;
  for (int run = 1; run < most_runs && (run < least_runs || Clock::now() < end); ++run) {
    shortest = std::min(shortest, classifier.classify(picture, 1).inference_ms);
  }
  return shortest;
}

/// Nothing where it fails, falls back to another, or does not come to an end within `limit`.
std::optional<double> time_alone(ClassifierOptions options, const Candidate& candidate,
                                 std::chrono::milliseconds limit) {
  options.backend = candidate.backend;
  options.amx = candidate.amx;
  ChildProcess child(
      [&options](const ChildProcess::Parent& parent) {
        try {
          if (parent.wait_for_go()) parent.tell(std::to_string(shortest_ms(options)));
        } catch (const std::exception&) {
          parent.tell("");  // the one that is chosen says why, if it does so again
        }
      },
      {});
  const std::string told = child.ask(limit).value_or("");
  return told.empty() ? std::nullopt : std::optional(std::stod(told));
}

}  // namespace

BackendChoice choose_backend(const ClassifierOptions& options, const std::string& model_sha256, int threads) {
  const std::vector<Candidate> candidates = candidates_for(options);
  BackendChoice choice{candidates.front().backend, candidates.front().amx, {}, ""};
  if (candidates.size() == 1) return choice;
  const ChoiceKey key{model_sha256, options.backend, processor_name(), libraries(), threads};
  const ChoiceCache cache;
  if (const auto known = cache.recall(key)) return *known;

  spdlog::info("timing {} backends for this model on this machine, once", candidates.size());
  auto limit = std::chrono::milliseconds(20'000);
  std::optional<double> best;
  for (const Candidate& candidate : candidates) {
    const auto start = Clock::now();
    const std::optional<double> ms = time_alone(options, candidate, limit);
    if (!ms) continue;
    choice.times_ms[candidate.name()] = *ms;
    // Who needs so much longer to load and run a few times will not be the fastest.
    const auto took = std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - start);
    limit = std::min(limit, 3 * took + std::chrono::seconds(1));
    if (best && *best <= *ms) continue;
    best = ms;
    choice.backend = candidate.backend;
    choice.amx = candidate.amx;
  }
  if (!best) return choice;
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
