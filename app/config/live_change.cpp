#include "config/live_change.hpp"

#include <optional>
#include <sstream>

namespace glimpse {
namespace {

struct ToNumber {
  std::optional<double> operator()(const std::string*) const { return std::nullopt; }
  std::optional<double> operator()(const bool*) const { return std::nullopt; }
  std::optional<double> operator()(const int* value) const { return *value; }
  std::optional<double> operator()(const double* value) const { return *value; }
  std::optional<double> operator()(const std::chrono::milliseconds* value) const {
    return std::chrono::duration<double>(*value).count();
  }
};

std::string last_part(const std::string& path) {
  return path.substr(path.find('.') + 1);
}

template <class T>
std::optional<T> if_other(const T& before, const T& after) {
  return before == after ? std::nullopt : std::optional(after);
}

}  // namespace

LiveSettings live_settings(const Settings& settings) {
  const Settings::Telemetry& telemetry = settings.telemetry;
  return {telemetry.interval,
          {telemetry.event_hold, telemetry.event_confidence, telemetry.events_per_hour},
          settings.model.top_k};
}

SettingsChange live_change(const Settings& before, const Settings& after) {
  const LiveSettings was = live_settings(before), is = live_settings(after);
  return {if_other(before.model.name, after.model.name),
          if_other(before.model.quantized, after.model.quantized), if_other(was.interval, is.interval),
          if_other(was.events, is.events), if_other(was.top_k, is.top_k)};
}

bool is_empty(const SettingsChange& change) {
  return !change.model && !change.quantized && !change.interval && !change.events && !change.top_k;
}

void take_live(const Settings& from, Settings& into) {
  Settings source = from;
  const std::vector<Setting> is = settings_table(source), was = settings_table(into);
  for (std::size_t row = 0; row < is.size(); ++row) {
    if (!is[row].live) continue;
    std::visit([&](auto* to) { *to = *std::get<decltype(to)>(is[row].field); }, was[row].field);
  }
}

std::vector<Refusal> out_of_range(const SettingsChange& change) {
  Settings changed;
  if (change.interval) changed.telemetry.interval = *change.interval;
  if (change.top_k) changed.model.top_k = *change.top_k;
  if (change.events) {
    changed.telemetry.event_hold = change.events->hold;
    changed.telemetry.event_confidence = change.events->confidence;
    changed.telemetry.events_per_hour = change.events->per_hour;
  }
  std::vector<Refusal> refusals;
  for (const Setting& setting : settings_table(changed)) {
    const auto value = std::visit(ToNumber{}, setting.field);
    if (!setting.live || !value || (*value >= setting.min && *value <= setting.max)) continue;
    std::ostringstream reason;
    reason << "expected " << expected_by(setting) << ", got ";
    reason.precision(10);
    reason << *value;
    refusals.push_back({last_part(setting.path), reason.str()});
  }
  return refusals;
}

}  // namespace glimpse
