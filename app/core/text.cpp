#include "core/text.hpp"

#include <algorithm>
#include <clocale>
#include <cwchar>

namespace glimpse {
namespace {

constexpr char32_t broken = U'\ufffd';

/// Bytes in the UTF-8 character that starts at text[at]; a broken start counts as one byte. The code point
/// goes to `out`, `broken` where there is none.
std::size_t decode(std::string_view text, std::size_t at, char32_t& out) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length <= 1 || at + length > text.size()) {
    out = first < 0x80 ? first : broken;
    return 1;
  }
  char32_t point = first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) {
      out = broken;
      return 1;
    }
    point = (point << 6) | (byte(at + i) & 0x3fu);
  }
  out = point;
  return length;
}

int columns_of(char32_t point) {
  if (point < 0x7f) return point < 0x20 ? 0 : 1;
  const int width = wcwidth(static_cast<wchar_t>(point));
  return width < 0 ? 1 : width;
}

/// Control characters of ASCII and of ISO 6429 (U+009B is "ESC ["), and those that turn the writing direction
/// of all that follows on the line (Unicode UAX #9).
bool steers(char32_t point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0x202a && point <= 0x202e) ||
         (point >= 0x2066 && point <= 0x2069);
}

}  // namespace

std::string escape_control(std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string safe;
  safe.reserve(text.size());
  char32_t point = 0;
  for (std::size_t at = 0, length = 0; at < text.size(); at += length) {
    length = decode(text, at, point);
    const std::string_view bytes = text.substr(at, length);
    if (!steers(point) && !(point == broken && length == 1)) {
      safe += bytes;
      continue;
    }
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned char>(c);
      safe += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
    }
  }
  return safe;
}

std::string ascii_only(std::string_view utf8) {
  std::string ascii;
  char32_t point = 0;
  for (std::size_t at = 0; at < utf8.size();) {
    at += decode(utf8, at, point);
    if (point < 0x80)
      ascii += static_cast<char>(point);
    else
      ascii.append(static_cast<std::size_t>(columns_of(point)), point == U'…' ? '~' : '?');
  }
  return ascii;
}

int display_width(std::string_view utf8) {
  int columns = 0;
  char32_t point = 0;
  for (std::size_t at = 0; at < utf8.size(); at += decode(utf8, at, point)) {
    decode(utf8, at, point);
    columns += columns_of(point);
  }
  return columns;
}

std::string fit_to_width(std::string_view utf8, int columns) {
  const bool cut = display_width(utf8) > columns;
  const int room = cut ? columns - 1 : columns;
  std::string fitted;
  int used = 0;
  for (std::size_t at = 0; at < utf8.size();) {
    char32_t point = 0;
    const std::size_t length = decode(utf8, at, point);
    if (used + columns_of(point) > room) break;
    fitted += utf8.substr(at, length);
    used += columns_of(point);
    at += length;
  }
  if (cut && columns > 0) {
    fitted += "…";
    ++used;
  }
  if (used < columns) fitted.append(static_cast<std::size_t>(columns - used), ' ');
  return fitted;
}

std::string to_right(std::string_view utf8, int columns) {
  const int missing = std::max(0, columns - display_width(utf8));
  return std::string(static_cast<std::size_t>(missing), ' ').append(utf8);
}

}  // namespace glimpse
