// The body of a request. The HTTP library would unpack what is compressed, to any size, before it looks.
#pragma once

#include <httplib.h>

#include <string>

#include "view/web/connection.hpp"

namespace glimpse {

struct RequestBody {
  int status = 200;  // another: there is none
  std::string text;  // the body, or why there is none
};

/// At most Connection::max_body bytes, said by Content-Length: RFC 9112, 6.3. Without one it is empty.
[[nodiscard]] RequestBody read_body(const httplib::Request& head, Connection& connection);

}  // namespace glimpse
