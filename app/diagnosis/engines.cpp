#include "diagnosis/engines.hpp"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string_view>

#include "core/error.hpp"
#include "device/kernel_text.hpp"
#include "diagnosis/machine.hpp"
#include "inference/backend_choice.hpp"
#include "inference/model_package.hpp"
#include "inference/processor.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

std::string loaded_blas(std::string_view maps) {
  while (!maps.empty()) {
    const std::string_view line = next_line(maps);
    const std::size_t path = line.find('/');
    if (path != std::string_view::npos && line.find("/libblas.so.3", path) != std::string_view::npos)
      return std::string(line.substr(path));
  }
  return "";
}

std::string name_of(const ClassifierOptions& options) {
  return options.backend + (options.quantized ? " int8" : " float");
}

std::string two_digits(double number) {
  char text[32];
  std::snprintf(text, sizeof text, number < 10 ? "%.1f" : "%.0f", number);
  return text;
}

}  // namespace

Check check_blas(const std::string& maps, const std::string& root) {
  const std::string file = loaded_blas(maps);
  if (file.empty()) return Check::ok("blas", "no libblas.so.3 is loaded: LibTorch brings its own");
  if (file.find("openblas") != std::string::npos) return Check::ok("blas", "OpenBLAS, " + file);
  // Debian: /usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0 is netlib's reference
  const fs::path folder = fs::path(file).parent_path();
  if (folder.filename() != "blas") return Check::ok("blas", file);
  const fs::path better = folder.parent_path() / "openblas-pthread/libblas.so.3";
  std::error_code ignored;
  const std::string select = "sudo update-alternatives --set libblas.so.3-" +
                             folder.parent_path().filename().string() + " " + better.string();
  return Check::warn(
      "blas", "the reference BLAS, " + file + ": LibTorch's float is about 7 times slower with it",
      fs::exists(root + better.string(), ignored) ? select : "sudo apt install libopenblas0-pthread");
}

Check check_speed(const ClassifierOptions& options, const std::string& root) {
  if (const auto mb = available_mb(root); mb && *mb < scarce_mb)
    return Check::ok(name_of(options), "unknown: not tried, memory is scarce");
  Classifier classifier(options);
  const ClassifierInfo& info = classifier.info();
  if (!info.fallback.empty())
    return Check::warn(name_of(options), info.fallback, "--backend auto, which takes another");
  const double shortest = shortest_ms(classifier);
  return Check::ok(name_of(options),
                   two_digits(shortest) + " ms a picture (" + two_digits(1000 / shortest) + " fps) on " +
                       std::to_string(info.threads) + (info.threads == 1 ? " thread" : " threads") +
                       (info.engine.empty() || options.backend != "torch" ? "" : ", engine " + info.engine) +
                       ", loaded in " + two_digits(info.load_ms) + " ms");
}

std::vector<Examination> engine_examinations(const ClassifierOptions& asked) {
  using namespace std::chrono_literals;
  std::vector<Examination> examinations{
      {"libtorch", 5s, [] { return Checks{Check::ok("libtorch", "LibTorch " + libtorch_version())}; }},
      {"processor", 5s, [] { return Checks{Check::ok("processor", processor_name())}; }},
      {"blas", 5s, [] { return Checks{check_blas(read_text("/proc/self/maps"))}; }}};
  fs::path folder;
  try {
    folder = find_model(asked.model, asked.models);
  } catch (const Error&) {  // the examination "model" says so
    return examinations;
  }
  std::string known = "auto";
  bool is_known = asked.backend == "auto";
  std::vector<std::string> of_a_run;  // what a run chooses from
  std::vector<Examination> speeds;
  for (const bool quantized : {false, true}) {
    for (const std::string& backend : runnable_backends(quantized)) {
      if (known.find(backend) == std::string::npos) known += ", " + backend;
      is_known = is_known || backend == asked.backend;
      if (!has_form(folder, quantized) || (asked.backend != "auto" && asked.backend != backend)) continue;
      ClassifierOptions options = asked;
      options.backend = backend;
      options.quantized = quantized;
      if (has_amx()) options.amx = false;  // rarely faster; finding out takes longer than all this
      const auto look = [options] {
        (void)!::nice(19);  // of this process alone: a run beside it goes first
        return Checks{check_speed(options)};
      };
      speeds.push_back({name_of(options), 30s, look, ExitCode::bad_data, {"model"}});
      if (quantized == asked.quantized) of_a_run.push_back(name_of(options));
    }
  }
  for (Examination& speed : speeds) {
    speed.remedy = "name a backend that is ok here with --backend, or export the model again";
    speed.instead = of_a_run;
    std::erase(speed.instead, speed.name);
    examinations.push_back(std::move(speed));
  }
  if (!is_known) {
    const Check refusal = Check::fail("backend", "--backend " + asked.backend + " is not in this build",
                                      "--backend " + known, ExitCode::usage);
    examinations.push_back({"backend", 5s, [refusal] { return Checks{refusal}; }});
  }
  return examinations;
}

}  // namespace glimpse
