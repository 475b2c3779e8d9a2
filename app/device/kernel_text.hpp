// The small texts of /proc and /sys, word by word.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace glimpse {

/// A whole small file, at most 1 MiB; empty where it cannot be read. Unlike a stream it costs three system
/// calls and no locale.
[[nodiscard]] std::string read_text(const std::string& path);

/// Takes the next line off `text`.
[[nodiscard]] std::string_view next_line(std::string_view& text);

/// Takes the next word off `line`, "" at its end.
[[nodiscard]] std::string_view next_word(std::string_view& line);

/// Nothing where the word is anything but a number that fits.
template <typename Number = long long>
[[nodiscard]] std::optional<Number> to_number(std::string_view word, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, base);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

}  // namespace glimpse
