// cpp-httplib's server, without its listening, its threads and its reading of bodies: it parses what a
// request begins with, and writes answers.
#pragma once

#include <httplib.h>

#include <functional>
#include <string>

#include "view/web/connection.hpp"

namespace glimpse {

class HttpService {
 public:
  /// `route` sees each request without its body; where it gives false, `patch` has to answer, and gets the
  /// body. Both are called from several threads.
  HttpService(std::function<bool(const httplib::Request&, httplib::Response&)> route,
              std::function<void(const std::string& body, httplib::Response&)> patch)
      : route_(std::move(route)), patch_(std::move(patch)) {}

  /// Answers one request. Throws nothing.
  void answer(Connection& connection) const;

 private:
  const std::function<bool(const httplib::Request&, httplib::Response&)> route_;
  const std::function<void(const std::string&, httplib::Response&)> patch_;
};

}  // namespace glimpse
