// Text that came from outside, made safe to show.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace glimpse {

/// The bytes of control characters (U+0000 to U+001F, U+007F to U+009F, those that turn the writing
/// direction) and of broken UTF-8 become \xNN, so that one message stays one line and cannot steer a
/// terminal.
[[nodiscard]] std::string escape_control(std::string_view text);

/// For a terminal that knows ASCII alone: a question mark for each column of anything else, a tilde for an
/// ellipsis.
[[nodiscard]] std::string ascii_only(std::string_view utf8);

/// Columns a terminal needs for UTF-8 text: wcwidth of each character, an emoji's two where the C library
/// does not know it yet or a heart is to be shown as one (U+FE0F); a broken byte counts as one. Terminals
/// differ.
[[nodiscard]] int display_width(std::string_view utf8);

/// The longest start of `utf8` that fits in `columns`, with an ellipsis where something was cut, padded with
/// spaces to exactly `columns`.
[[nodiscard]] std::string fit_to_width(std::string_view utf8, int columns);

/// Lines of at most `columns` (at least 1) each, none for an empty text: broken at a space where a line has
/// one; an ellipsis instead of a character that is wider than a line.
[[nodiscard]] std::vector<std::string> wrap_to_width(std::string_view utf8, int columns);

/// Spaces, then `utf8`, in `columns` together; a longer text is not cut.
[[nodiscard]] std::string to_right(std::string_view utf8, int columns);

}  // namespace glimpse
