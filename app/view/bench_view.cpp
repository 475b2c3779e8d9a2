#include "view/bench_view.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "view/numbers.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::ordered_json;

/// Microseconds are as fine as these times are worth.
double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

Json timings_json(const Timings& timings) {
  return {{"p50", rounded(timings.p50)},
          {"p90", rounded(timings.p90)},
          {"p99", rounded(timings.p99)},
          {"min", rounded(timings.min)}};
}

std::string timings_columns(const Timings& timings) {
  std::string text;
  for (const double ms : {timings.p50, timings.p90, timings.p99, timings.min})
    text += to_right(fixed(ms, 2), 8);
  return text;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json machine_json(const BenchMachine& on) {
  return {{"board", or_null(on.machine.board)},
          {"processor", on.processor},
          {"system", or_null(on.machine.system)},
          {"kernel", on.machine.kernel},
          {"libtorch", on.libtorch},
          {"glimpse", on.glimpse},
          {"temperature_c", or_null(on.status.heat.temperature_c)},
          {"throttled", or_null(on.status.heat.throttled)}};
}

}  // namespace

std::string bench_json(const BenchResult& result, const BenchMachine& on) {
  const Json line{{"model", result.model},
                  {"precision", result.quantized ? "int8" : "float"},
                  {"backend", result.backend},
                  {"threads", result.threads},
                  {"network_ms", timings_json(result.network)},
                  {"preprocess_ms", timings_json(result.preprocess)},
                  {"fps", rounded(result.fps)},
                  {"model_mib", rounded(result.model_mib)},
                  {"load_ms", rounded(result.load_ms)},
                  {"peak_rss_mb", rounded(result.peak_rss_mb)},
                  {"machine", machine_json(on)}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string bench_text(const std::vector<BenchResult>& results) {
  const std::string percentiles =
      to_right("p50", 8) + to_right("p90", 8) + to_right("p99", 8) + to_right("min", 8);
  std::string text = fit_to_width("", 16) + "  " + fit_to_width("network ms", 30) + "  " +
                     fit_to_width("preprocess ms", 30) + to_right("model", 16) + to_right("load", 8) +
                     to_right("peak RSS", 10) + "\n" + fit_to_width("", 16) + percentiles + percentiles +
                     to_right("fps", 8) + to_right("MiB", 8) + to_right("ms", 8) + to_right("MiB", 10) + "\n";
  for (const BenchResult& result : results) {
    text += fit_to_width(result.quantized ? "int8" : "float", 7) + fit_to_width(result.backend, 9) +
            timings_columns(result.network) + timings_columns(result.preprocess) +
            to_right(fixed(result.fps, 1), 8) + to_right(fixed(result.model_mib, 1), 8) +
            to_right(fixed(result.load_ms, 0), 8) + to_right(fixed(result.peak_rss_mb, 0), 10) + "\n";
  }
  return text;
}

}  // namespace glimpse
