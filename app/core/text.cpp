#include "core/text.hpp"

#include <algorithm>
#include <clocale>
#include <cwchar>

namespace glimpse {
namespace {

constexpr char32_t broken = U'\ufffd';

/// Bytes in the UTF-8 character that `text` starts with; a broken start counts as one byte. The code point
/// goes to `out`, `broken` where there is none.
std::size_t decode(std::string_view text, char32_t& out) {
  static constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};  // of that many bytes
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
  out = first < 0x80 ? first : broken;
  if (length <= 1 || first >= 0xf8 || length > text.size()) return 1;
  char32_t point = first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 1;
    point = (point << 6) | (byte(i) & 0x3fu);
  }
  const bool half_of_a_pair = point >= 0xd800 && point < 0xe000;  // of UTF-16
  if (point < least[length] || point > 0x10ffff || half_of_a_pair) return 1;
  out = point;
  return length;
}

int columns_of(char32_t point) {
  if (point < 0x7f) return point < 0x20 ? 0 : 1;
  const int width = wcwidth(static_cast<wchar_t>(point));
  const bool newer_emoji = point >= 0x1f300 && point < 0x1fb00;  // than the C library
  return width >= 0 ? width : newer_emoji ? 2 : 1;
}

/// Walks over the characters of UTF-8 text.
class Characters {
 public:
  explicit Characters(std::string_view utf8) : rest_(utf8) {}

  bool next() {
    rest_.remove_prefix(bytes.size());
    if (rest_.empty()) return false;
    constexpr char32_t shown_as_emoji = 0xfe0f;  // the character before: then it is wide (Unicode UTS #51)
    const bool narrow = columns == 1 && point != shown_as_emoji;
    bytes = rest_.substr(0, decode(rest_, point));
    columns = point == shown_as_emoji ? static_cast<int>(narrow) : columns_of(point);
    return true;
  }

  std::string_view bytes;
  char32_t point = 0;
  int columns = 0;

 private:
  std::string_view rest_;
};

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
  for (Characters at(text); at.next();) {
    if (!steers(at.point) && !(at.point == broken && at.bytes.size() == 1)) {
      safe += at.bytes;
      continue;
    }
    for (const char c : at.bytes) {
      const auto byte = static_cast<unsigned char>(c);
      safe += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
    }
  }
  return safe;
}

std::string ascii_only(std::string_view utf8) {
  std::string ascii;
  for (Characters at(utf8); at.next();) {
    if (at.point < 0x80)
      ascii += static_cast<char>(at.point);
    else
      ascii.append(static_cast<std::size_t>(at.columns), at.point == U'…' ? '~' : '?');
  }
  return ascii;
}

int display_width(std::string_view utf8) {
  int columns = 0;
  for (Characters at(utf8); at.next();) columns += at.columns;
  return columns;
}

std::string fit_to_width(std::string_view utf8, int columns) {
  const bool cut = display_width(utf8) > columns;
  const int room = cut ? columns - 1 : columns;
  std::string fitted;
  int used = 0;
  for (Characters at(utf8); at.next() && used + at.columns <= room;) {
    fitted += at.bytes;
    used += at.columns;
  }
  if (cut && columns > 0) {
    fitted += "…";
    ++used;
  }
  if (used < columns) fitted.append(static_cast<std::size_t>(columns - used), ' ');
  return fitted;
}

std::vector<std::string> wrap_to_width(std::string_view utf8, int columns) {
  std::vector<std::string> lines;
  while (!utf8.empty()) {
    std::size_t end = 0;
    int used = 0;
    Characters at(utf8);
    for (; at.next() && used + at.columns <= columns; used += at.columns) end += at.bytes.size();
    if (end == 0) {  // not even one fits
      lines.emplace_back("…");
      utf8.remove_prefix(at.bytes.size());
      continue;
    }
    const std::size_t space = end < utf8.size() ? utf8.rfind(' ', end) : end;
    if (space != std::string_view::npos && space > 0) end = space;
    lines.emplace_back(utf8.substr(0, end));
    utf8.remove_prefix(end);
    utf8.remove_prefix(std::min(utf8.find_first_not_of(' '), utf8.size()));
  }
  return lines;
}

std::string to_right(std::string_view utf8, int columns) {
  const int missing = std::max(0, columns - display_width(utf8));
  return std::string(static_cast<std::size_t>(missing), ' ').append(utf8);
}

}  // namespace glimpse
