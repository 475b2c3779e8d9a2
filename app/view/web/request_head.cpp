#include "view/web/request_head.hpp"

#include <strings.h>

#include <algorithm>

namespace glimpse {
namespace {

constexpr std::string_view line_end = "\r\n";

/// Takes the next line off `text`, without its end.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find(line_end));
  text.remove_prefix(std::min(text.size(), line.size() + line_end.size()));
  return line;
}

bool has_control(std::string_view line) {
  return std::any_of(line.begin(), line.end(),
                     [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
}

/// Of "METHOD TARGET VERSION", one space each; "" of anything else.
std::string_view target_of(std::string_view line) {
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (line.find('\t') != std::string_view::npos || first == std::string_view::npos || first == 0 ||
      last + 1 == line.size() || std::count(line.begin(), line.end(), ' ') != 2)
    return "";
  return line.substr(first + 1, last - first - 1);
}

bool is_named(std::string_view header, std::string_view name) {
  return header.size() > name.size() && header[name.size()] == ':' &&
         ::strncasecmp(header.data(), name.data(), name.size()) == 0;
}

}  // namespace

RequestKind kind_of(std::string_view line) {
  const std::string_view target = target_of(line), path = target.substr(0, target.find('?'));
  if (line.starts_with("PATCH ")) return RequestKind::change;
  if (path == "/stream.mjpg") return RequestKind::pictures;
  if (path == "/api/events") return RequestKind::events;
  return RequestKind::other;
}

std::optional<HeadFault> fault_of(std::string_view head) {
  const std::string_view first = take_line(head);
  if (first.size() + line_end.size() > max_head_line) return HeadFault{414, "the path is larger than 8 KiB"};
  const std::string_view target = target_of(first);
  if (target.empty() || has_control(first)) return HeadFault{400, "not a request that can be understood"};
  while (!head.empty()) {
    const std::string_view header = take_line(head);
    if (header.size() + line_end.size() > max_head_line)
      return HeadFault{431, "a header is larger than 8 KiB"};
    if (has_control(header)) return HeadFault{400, "a header has a control character"};
  }
  const std::string_view path = target.substr(0, target.find('?'));
  if (!path.starts_with('/') || path.find_first_of("%#") != std::string_view::npos)
    return HeadFault{404, "no such path: " + std::string(path)};
  return std::nullopt;
}

std::string without_wishes(std::string_view head) {
  std::string kept;
  while (!head.empty()) {
    const std::string_view line = take_line(head);
    if (!is_named(line, "Range") && !is_named(line, "Accept-Encoding")) kept.append(line).append(line_end);
  }
  return kept;
}

}  // namespace glimpse
