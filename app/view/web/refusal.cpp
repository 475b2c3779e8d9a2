#include "view/web/refusal.hpp"

#include "view/web/settings_json.hpp"

namespace glimpse {
namespace {

const char* reason(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 408:
      return "Request Timeout";
    case 414:
      return "URI Too Long";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Service Unavailable";
  }
}

}  // namespace

std::string refusal(int status, const std::string& error) {
  const std::string body = error_json(status, error);
  std::string text = "HTTP/1.1 " + std::to_string(status) + " " + reason(status) +
                     "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                     "\r\nConnection: close\r\n";
  for (const auto& [name, value] : headers_of_all) text += std::string(name) + ": " + value + "\r\n";
  return text + (status == 503 ? "Retry-After: 5\r\n" : "") + "\r\n" + body;
}

}  // namespace glimpse
