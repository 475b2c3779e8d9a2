// The settings that can be changed over the network, as docs/web.md has them.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/installed_model.hpp"
#include "core/live_settings.hpp"
#include "view/web/web_sources.hpp"

namespace glimpse {

/// The answer to GET /api/settings. `models`: those installed.
[[nodiscard]] std::string settings_json(const InForce& now, const WebSources& sources,
                                        const std::vector<InstalledModel>& models, bool changing);

/// Why the body of a PATCH is none: one line.
struct BadChange {
  std::string error;
};
/// Numbers that are too large to be checked by whoever carries out the change are brought down to what is
/// still refused there.
[[nodiscard]] std::variant<SettingsChange, BadChange> parse_change(const std::string& body);

/// {"status": 404, "error": "…"}, and the refusals where there are any.
[[nodiscard]] std::string error_json(int status, const std::string& error,
                                     const std::vector<Refusal>& refusals = {});

}  // namespace glimpse
