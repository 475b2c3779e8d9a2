// The request line and the headers, looked at before the HTTP library sees them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace glimpse {

/// What requests are counted by, so that viewers never keep the others out.
enum class RequestKind { other, pictures, events, change };
inline constexpr std::array<std::size_t, 4> most_at_a_time{16, 8, 8, 4};

/// By the request line, "GET /stream.mjpg?… HTTP/1.1".
[[nodiscard]] RequestKind kind_of(std::string_view request_line);

inline constexpr std::size_t max_head_line = 8192;  // bytes with its CRLF: the library's limit

struct HeadFault {
  int status = 400;
  std::string error;
};

/// Why a head is not answered, if it is not: `head` up to its empty line. What remains the library reads as
/// kind_of() does: it would decode a path, and pass over whatever spaces there are.
[[nodiscard]] std::optional<HeadFault> fault_of(std::string_view head);

/// The head without what the library would do of itself, at a viewer's wish, and nobody needs: ranges
/// multiply an answer, and compressing costs more than the network here.
[[nodiscard]] std::string without_wishes(std::string_view head);

}  // namespace glimpse
