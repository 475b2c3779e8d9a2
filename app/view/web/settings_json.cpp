#include "view/web/settings_json.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "core/text.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::ordered_json;

// Above every limit, and far from the end of what an int or a count of milliseconds can be.
constexpr double beyond_all_limits = 1e9;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// 1, not 1.0.
Json number(double value) {
  const bool whole = std::abs(value) < beyond_all_limits && value == std::floor(value);
  return whole ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Json limits_json(const SettingLimits& limits) {
  return {{"min", number(limits.min)}, {"max", number(limits.max)}};
}

double held_down(double value) {
  return std::clamp(value, -beyond_all_limits, beyond_all_limits);
}

/// False: not what expected() says.
bool take(const std::string& key, const Json& value, SettingsChange& change) {
  if (key == "model" && value.is_string()) {
    change.model = value.get<std::string>();
  } else if (key == "quantized" && value.is_boolean()) {
    change.quantized = value.get<bool>();
  } else if (key == "top_k" && value.is_number_integer()) {
    change.top_k = static_cast<int>(held_down(value.get<double>()));
  } else if (key == "interval_s" && value.is_number()) {
    const double seconds = std::abs(value.get<double>());
    if (seconds > 0 && seconds < 0.001) return false;  // would be rounded to 0, which is every frame
    change.interval = std::chrono::round<std::chrono::milliseconds>(
        std::chrono::duration<double>(held_down(value.get<double>())));
  } else {
    return false;
  }
  return true;
}

std::string expected(const std::string& key) {
  if (key == "model") return "a text";
  if (key == "quantized") return "true or false";
  return key == "top_k" ? "a whole number" : "a number, 0 or at least 0.001";
}

}  // namespace

std::string settings_json(const InForce& now, const WebSources& sources,
                          const std::vector<InstalledModel>& installed, bool changing) {
  Json models = Json::array();
  for (const InstalledModel& model : installed) {
    Json forms = Json::array();
    if (model.has_float) forms.push_back("float");
    if (model.has_int8) forms.push_back("int8");
    models.push_back({{"name", model.name}, {"forms", forms}});
  }
  return dump(
      {{"settings",
        {{"model", now.model.name},
         {"quantized", now.model.quantized},
         {"top_k", now.settings.top_k},
         {"interval_s", number(std::chrono::duration<double>(now.settings.interval).count())}}},
       {"limits", {{"top_k", limits_json(sources.top_k)}, {"interval_s", limits_json(sources.interval_s)}}},
       {"models", models},
       {"changing", changing}});
}

std::variant<SettingsChange, BadChange> parse_change(const std::string& body) {
  const Json root = Json::parse(body, nullptr, false);
  if (root.is_discarded()) return BadChange{"the body is not JSON"};
  if (!root.is_object()) return BadChange{"the body is not a JSON object"};
  SettingsChange change;
  for (const auto& [key, value] : root.items()) {
    const auto known = {"model", "quantized", "top_k", "interval_s"};
    if (std::find(known.begin(), known.end(), key) == known.end())
      return BadChange{escape_control(key) + ": unknown key; known are model, quantized, top_k, interval_s"};
    if (!take(key, value, change)) return BadChange{key + ": expected " + expected(key)};
  }
  if (root.empty())
    return BadChange{"the body names nothing to change: model, quantized, top_k or interval_s"};
  return change;
}

std::string error_json(int status, const std::string& error, const std::vector<Refusal>& refusals) {
  Json json{{"status", status}, {"error", error}};
  for (const Refusal& refusal : refusals)
    json["refusals"].push_back({{"setting", refusal.setting}, {"reason", refusal.reason}});
  return dump(json) + "\n";
}

}  // namespace glimpse
