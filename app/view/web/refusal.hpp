// What every answer has, and answers without the HTTP library.
#pragma once

#include <array>
#include <string>
#include <utility>

namespace glimpse {

inline constexpr std::array<std::pair<const char*, const char*>, 5> headers_of_all{{
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
     "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
}};

/// To those who are not let in: an error as docs/web.md has it, 400, 404, 408, 414, 431 or 503.
[[nodiscard]] std::string refusal(int status, const std::string& error);

}  // namespace glimpse
