#include "config/live_change.hpp"

#include <algorithm>
#include <limits>

#include "catch.hpp"

using namespace glimpse;
using std::chrono::milliseconds;

namespace {

/// Another value than the one that is there.
struct Alter {
  void operator()(std::string* value) const { *value += "x"; }
  void operator()(bool* value) const { *value = !*value; }
  void operator()(int* value) const { ++*value; }
  void operator()(double* value) const { *value /= 2; }
  void operator()(milliseconds* value) const { ++*value; }
};

}  // namespace

TEST_CASE("Just the settings that are marked as live can be asked of a run") {
  Settings settings;
  const Settings before = settings;
  std::vector<std::string> live;
  for (const Setting& setting : settings_table(settings)) {
    settings = before;
    std::visit(Alter{}, setting.field);
    CAPTURE(setting.flag);
    CHECK(setting.live == !is_empty(live_change(before, settings)));
    Settings taken = before;
    take_live(settings, taken);
    CHECK(is_empty(live_change(taken, settings)));
    CHECK(changes(before, taken).size() == (setting.live ? 1 : 0));
    if (setting.live) live.push_back(setting.path);
  }
  CHECK(live == std::vector<std::string>{"model.name", "model.quantized", "model.top_k",
                                         "telemetry.interval_s", "telemetry.event_hold_s",
                                         "telemetry.event_confidence", "telemetry.events_per_hour"});
}

TEST_CASE("A change has what differs, and nothing else") {
  Settings before, after;
  before.model.name = "demo";
  after.model.name = "resnet18";
  after.telemetry.event_confidence = 0.7;
  const SettingsChange change = live_change(before, after);
  CHECK(change.model == "resnet18");
  CHECK(change.events == EventRule{milliseconds(300), 0.7, 3600});
  CHECK_FALSE(change.quantized);
  CHECK_FALSE(change.interval);
  CHECK_FALSE(change.top_k);
}

TEST_CASE("Each setting of a file that differs is a change, with its new value") {
  Settings settings;
  const Settings before = settings;
  CHECK(changes(before, settings).empty());
  const std::vector<Setting> table = settings_table(settings);
  for (const Setting& setting : table) {
    settings = before;
    std::visit(Alter{}, setting.field);
    const auto found = changes(before, settings);
    CAPTURE(setting.flag);
    // A flag of bench or provision may fill what another flag and the file fill for run.
    const bool in_file = std::any_of(table.begin(), table.end(), [&](const Setting& other) {
      return !other.path.empty() && other.field == setting.field;
    });
    if (!in_file) {
      CHECK(found.empty());
    } else {
      REQUIRE(found.size() == 1);
      if (!setting.path.empty()) CHECK(found[0].path == setting.path);
      CHECK(found[0].live == setting.live);
    }
  }
  settings = before;
  settings.telemetry.interval = milliseconds(250);
  CHECK(changes(before, settings).at(0).value == "0.25");
}

// The ranges are those of docs/configuration.md.
TEST_CASE("Numbers at the ends of their ranges are taken") {
  for (const int top_k : {1, 1000}) CHECK(out_of_range({{}, {}, {}, {}, top_k}).empty());
  for (const int s : {0, 86'400}) CHECK(out_of_range({{}, {}, std::chrono::seconds(s), {}, {}}).empty());
  for (const auto& rule :
       {EventRule{milliseconds(0), 0, 0}, EventRule{milliseconds(3'600'000), 1, 1'000'000}})
    CHECK(out_of_range({{}, {}, {}, rule, {}}).empty());
  CHECK(out_of_range({"../anything", true, {}, {}, {}}).empty());  // texts have no range
}

TEST_CASE("Numbers out of their ranges are refused, each by its name") {
  const double no_number = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<SettingsChange, std::string>> bad{
      {{{}, {}, {}, {}, 0}, "top_k: expected a whole number from 1 to 1000, got 0"},
      {{{}, {}, {}, {}, 1001}, "top_k: expected a whole number from 1 to 1000, got 1001"},
      {{{}, {}, milliseconds(-1), {}, {}}, "interval_s: expected a number from 0 to 86400, got -0.001"},
      {{{}, {}, milliseconds(86'400'001), {}, {}},
       "interval_s: expected a number from 0 to 86400, got 86400.001"},
      {{{}, {}, {}, EventRule{milliseconds(-1), 0, 0}, {}},
       "event_hold_s: expected a number from 0 to 3600, got -0.001"},
      {{{}, {}, {}, EventRule{milliseconds(0), 1.5, 0}, {}},
       "event_confidence: expected a number from 0 to 1, got 1.5"},
      {{{}, {}, {}, EventRule{milliseconds(0), no_number, 0}, {}},
       "event_confidence: expected a number from 0 to 1, got nan"},
      {{{}, {}, {}, EventRule{milliseconds(0), 0, -1}, {}},
       "events_per_hour: expected a whole number from 0 to 1000000, got -1"}};
  for (const auto& [change, line] : bad) {
    const std::vector<Refusal> refusals = out_of_range(change);
    REQUIRE(refusals.size() == 1);
    CHECK(refusals[0].setting + ": " + refusals[0].reason == line);
  }
  CHECK(out_of_range({{}, {}, milliseconds(-1), {}, 0}).size() == 2);
}
