#include "view/web/web_state.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "capture/frame_tap.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto meter_every = std::chrono::seconds(1);
constexpr auto unhealthy_after = std::chrono::seconds(10);
constexpr const char* columns[] = {"capture_fps",  "inference_fps", "inference_p50_ms",
                                   "frame_age_ms", "cpu_percent",   "temperature_c"};

Json rounded(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return std::round(*value * 100) / 100;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string health_fault(std::optional<Steady::time_point> last_named_at, Steady::time_point started_at,
                         Steady::time_point now) {
  const auto silent = now - last_named_at.value_or(started_at);
  if (silent < unhealthy_after) return "";
  const auto seconds = std::chrono::floor<std::chrono::seconds>(silent).count();
  return (last_named_at ? "no frame named for " : "no frame named yet, in ") + std::to_string(seconds) + " s";
}

Record WebState::record() {
  Record record = sources_.record();
  const std::lock_guard lock(mutex_);
  if (const auto now = Steady::now(); !metered_at_ || now - *metered_at_ >= meter_every) {
    system_ = meter_.read();
    if (!metered_at_) {  // shares of no time at all
      system_.cpu_percent.reset();
      system_.per_core.reset();
    }
    metered_at_ = now;
  }
  record.system = system_;
  return record;
}

std::string WebState::status(const WebCounts& web) {
  Json frame, crop;
  if (const auto size = sources_.frames.size()) {
    frame = {{"width", size->width}, {"height", size->height}};
    const PictureCrop seen = sources_.crop(size->width, size->height);
    crop = {{"x", seen.x}, {"y", seen.y}, {"width", seen.width}, {"height", seen.height}};
  }
  const double uptime_s = std::chrono::duration<double>(Steady::now() - started_at_).count();
  Json named_ms_ago;
  if (const auto last_at = sources_.frame_times().last_at)
    named_ms_ago = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - *last_at).count();
  const Json view{{"version", sources_.version},
                  {"source", sources_.source},
                  {"uptime_s", rounded(uptime_s)},
                  {"named_ms_ago", named_ms_ago},
                  {"frame", frame},
                  {"crop", crop},
                  {"viewers", {{"pictures", web.picture_viewers}, {"events", web.event_viewers}}}};
  std::string json = to_json(record());
  json.pop_back();  // its brace
  return json + ",\"view\":" + dump(view) + "}";
}

std::string WebState::metrics(const WebCounts& web) {
  return metrics_text(record(), sources_.frame_times(), web, sources_.version);
}

void WebState::sample() {
  const Record now = record();
  const auto p50 = now.inference_ms ? std::optional(now.inference_ms->p50) : std::nullopt;
  const std::lock_guard lock(mutex_);
  samples_.push_back({now.time_ms,
                      {now.capture_fps, now.inference_fps, p50, now.frame_age_ms, now.system.cpu_percent,
                       now.system.heat.temperature_c}});
  if (samples_.size() > max_samples) samples_.pop_front();
}

std::string WebState::history() const {
  Json json;
  const std::lock_guard lock(mutex_);
  Json& times = json["time_ms"] = Json::array();
  for (const Sample& sample : samples_) times.push_back(sample.time_ms);
  for (std::size_t column = 0; column < std::size(columns); ++column) {
    Json& list = json[columns[column]] = Json::array();
    for (const Sample& sample : samples_) list.push_back(rounded(sample.values[column]));
  }
  return dump(json);
}

std::string WebState::fault() const {
  return health_fault(sources_.frame_times().last_at, started_at_, Steady::now());
}

}  // namespace glimpse
