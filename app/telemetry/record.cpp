#include "telemetry/record.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

namespace glimpse {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t max_payload = 128 * 1024;  // bytes; AWS IoT Core, "Message broker and protocol limits"
constexpr std::size_t max_text =
    256;  // bytes of any one string, so that a record's fixed part stays far below
constexpr std::size_t max_cores = 4096;

double rounded(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  return std::round(value * scale) / scale;
}

Json number(std::optional<double> value, int decimals) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return rounded(*value, decimals);
}

/// At most max_text bytes, not cut inside a UTF-8 character.
Json text(std::string_view value) {
  if (value.size() > max_text) {
    std::size_t end = max_text;
    while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xc0) == 0x80) --end;
    value = value.substr(0, end);
  }
  return std::string(value);
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json percentiles(const std::optional<Percentiles>& value) {
  if (!value) return nullptr;
  return Json{{"p50", number(value->p50, 3)}, {"p90", number(value->p90, 3)}, {"p99", number(value->p99, 3)}};
}

Json per_core(const std::optional<std::vector<double>>& cores) {
  if (!cores) return nullptr;
  Json list = Json::array();
  for (std::size_t i = 0; i < std::min(cores->size(), max_cores); ++i) list.push_back(number((*cores)[i], 1));
  return list;
}

Json words(const std::optional<std::vector<std::string>>& values) {
  if (!values) return nullptr;
  Json list = Json::array();
  for (const auto& value : *values) list.push_back(text(value));
  return list;
}

Json outbox(const DeliveryStatus& d) {
  return {{"pending", d.pending},
          {"sent", d.sent},
          {"acknowledged", d.acknowledged},
          {"resent", d.resent},
          {"dropped", d.dropped}};
}

Json link(const std::optional<DeliveryStatus>& delivery) {
  if (!delivery) return nullptr;
  const bool has_error = !delivery->last_error.empty();
  return {{"state", word_for(delivery->link)},
          {"since_ms", delivery->link_since_ms},
          {"last_error", has_error ? text(delivery->last_error) : Json(nullptr)},
          {"last_error_ms", has_error ? Json(delivery->last_error_ms) : Json(nullptr)}};
}

/// As many predictions, from the most probable on, as fit in `room` bytes.
Json fitting_predictions(const std::vector<Prediction>& predictions, std::size_t room) {
  Json list = Json::array();
  for (const auto& prediction : predictions) {
    Json item{{"index", prediction.index},
              {"label", text(prediction.label)},
              {"probability", number(prediction.probability, 6)}};
    const std::size_t size = dump(item).size() + 1;
    if (size > room) break;
    room -= size;
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace

const char* word_for(LinkState state) {
  switch (state) {
    case LinkState::connecting:
      return "connecting";
    case LinkState::connected:
      return "connected";
    case LinkState::waiting:
      return "waiting";
    case LinkState::closed:
      break;
  }
  return "closed";
}

std::string to_json(const Record& r) {
  const SystemStatus& s = r.system;
  Json json{
      {"time", r.time_ms / 1000},
      {"quality", "GOOD"},
      {"hostname", text(r.hostname)},
      {"value", number(s.cpu_percent, 1)},
      {"schema", "glimpse/1"},
      {"device", text(r.device)},
      {"boot", text(r.boot)},
      {"seq", r.seq},
      {"time_ms", r.time_ms},
      {"trigger", r.trigger == Trigger::change ? "change" : "interval"},
      {"model",
       {{"name", text(r.model.name)},
        {"quantized", r.model.quantized},
        {"backend", text(r.model.backend)},
        {"sha256", text(r.model.sha256)}}},
      {"fps",
       {{"capture", number(r.capture_fps, 2)},
        {"inference", number(r.inference_fps, 2)},
        {"target", number(r.target_fps, 2)},
        {"target_reason", r.target_fps ? text(r.target_reason) : Json(nullptr)}}},
      {"frames",
       {{"seen", r.frames_seen},
        {"dropped", r.frames_dropped},
        {"left_out", r.frames_left_out},
        {"skipped", r.frames_skipped},
        {"index", r.frame_index ? Json(*r.frame_index) : Json(nullptr)}}},
      {"latency_ms",
       {{"frame_age", number(r.frame_age_ms, 3)},
        {"preprocess", number(r.preprocess_ms, 3)},
        {"inference", percentiles(r.inference_ms)}}},
      {"predictions", Json::array()},
      {"system",
       {{"cpu_percent", number(s.cpu_percent, 1)},
        {"per_core", per_core(s.per_core)},
        {"memory_mb", number(s.memory_mb, 1)},
        {"rss_mb", number(s.rss_mb, 1)},
        {"temperature_c", number(s.heat.temperature_c, 1)},
        {"throttled", words(s.heat.throttled)},
        {"throttled_since_start", words(s.heat.throttled_since_start)},
        {"cpu_mhz", number(s.heat.cpu_mhz, 0)},
        {"cpu_max_mhz", number(s.heat.cpu_max_mhz, 0)}}},
      {"outbox", outbox(r.delivery.value_or(DeliveryStatus{}))},
      {"link", link(r.delivery)},
  };
  constexpr const char* left_out = "predictions_left_out";
  json[left_out] = r.predictions.size();  // the room that the longest figure takes
  const std::size_t fixed = dump(json).size();
  json["predictions"] = fitting_predictions(r.predictions, fixed < max_payload ? max_payload - fixed : 0);
  json[left_out] = r.predictions.size() - json["predictions"].size();
  if (json[left_out] == 0) json.erase(left_out);
  return dump(json);
}

}  // namespace glimpse
