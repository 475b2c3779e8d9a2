#include "view/web/request_body.hpp"

#include <algorithm>

namespace glimpse {

RequestBody read_body(const httplib::Request& head, Connection& connection) {
  if (head.has_header("Content-Encoding")) return {415, "the body must not be compressed"};
  if (head.has_header("Transfer-Encoding"))
    return {411, "the body needs a Content-Length, and no Transfer-Encoding"};
  if (!head.has_header("Content-Length")) return {};
  const std::string length = head.get_header_value("Content-Length");
  if (head.get_header_value_count("Content-Length") != 1 || length.empty() ||
      length.find_first_not_of("0123456789") != std::string::npos)
    return {400, "Content-Length is not a number"};
  // Nine digits are an int, and more are too many whatever they are.
  if (length.size() > 9 || static_cast<std::size_t>(std::stoi(length)) > Connection::max_body)
    return {413, "the body is larger than 4 KiB"};
  std::string body(static_cast<std::size_t>(std::stoi(length)), '\0');
  for (std::size_t have = 0; have < body.size();) {
    const ssize_t got = connection.read(&body[have], body.size() - have);
    if (got == 0) return {400, "the body is shorter than its Content-Length"};
    if (got < 0) return {408, "the request was not there whole within 5 s"};
    have += static_cast<std::size_t>(got);
  }
  return {200, std::move(body)};
}

}  // namespace glimpse
