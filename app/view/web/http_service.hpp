// cpp-httplib's server, without its listening and its threads: it parses requests and writes answers.
#pragma once

#include <httplib.h>

#include <functional>

#include "view/web/connection.hpp"

namespace glimpse {

class HttpService : private httplib::Server {
 public:
  /// `route` sees each request before its body is read; where it gives false, `patch` has to answer it: a
  /// PATCH with a body of at most Connection::max_body bytes. Both from several threads.
  HttpService(std::function<bool(const httplib::Request&, httplib::Response&)> route,
              std::function<void(const httplib::Request&, httplib::Response&)> patch);

  /// Answers one request. Throws nothing.
  void answer(Connection& connection);
};

}  // namespace glimpse
