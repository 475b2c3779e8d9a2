// The settings that can change while a run runs, those that settings_table() marks as live, as a
// SettingsChange has them.
#pragma once

#include <vector>

#include "config/settings.hpp"
#include "core/live_settings.hpp"

namespace glimpse {

/// As the pipeline reads them.
[[nodiscard]] LiveSettings live_settings(const Settings& settings);

/// What of them `after` has otherwise than `before`.
[[nodiscard]] SettingsChange live_change(const Settings& before, const Settings& after);
[[nodiscard]] bool is_empty(const SettingsChange& change);

/// Gives `into` all of them as `from` has them.
void take_live(const Settings& from, Settings& into);

/// One for each number that a configuration file could not have either.
[[nodiscard]] std::vector<Refusal> out_of_range(const SettingsChange& change);

}  // namespace glimpse
