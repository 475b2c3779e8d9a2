// Bars and sparklines of block characters (Unicode, Block Elements), or of ASCII.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace glimpse {

/// A bar of `share` (0..1) of `columns`: in eighths of a column, or without `blocks` in whole "#". Not
/// padded.
[[nodiscard]] std::string bar(double share, int columns, bool blocks);

/// A column for each value, its height in sevenths of `full`, so that a row of full ones does not touch the
/// line above; blank where a value is not known. Without `blocks` "_.-=+*#".
[[nodiscard]] std::string sparkline(const std::vector<std::optional<double>>& values, double full,
                                    bool blocks);

}  // namespace glimpse
