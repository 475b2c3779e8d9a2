// Text that came from outside, made safe to show.
#pragma once

#include <string>
#include <string_view>

namespace glimpse {

/// Control characters (below 0x20, and 0x7f) become \xNN, so that one message stays one line and cannot steer
/// a terminal.
[[nodiscard]] std::string escape_control(std::string_view text);

/// Columns a terminal needs for UTF-8 text (wcwidth of each character; a broken byte counts as one).
[[nodiscard]] int display_width(std::string_view utf8);

/// The longest start of `utf8` that fits in `columns`, with an ellipsis where something was cut, padded with
/// spaces to exactly `columns`.
[[nodiscard]] std::string fit_to_width(std::string_view utf8, int columns);

/// Spaces, then `utf8`, in `columns` together; a longer text is not cut.
[[nodiscard]] std::string to_right(std::string_view utf8, int columns);

}  // namespace glimpse
