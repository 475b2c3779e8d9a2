#include "view/web/http_service.hpp"

#include <spdlog/spdlog.h>

#include <exception>

#include "view/web/settings_json.hpp"

namespace glimpse {
namespace {

const httplib::Headers headers_of_all{
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
     "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

/// Of what the library itself refuses.
const char* words_for(int status) {
  switch (status) {
    case 400:
      return "not a request that can be understood";
    case 413:
      return "the body is larger than 4 KiB";
    case 414:
      return "the path is larger than 8 KiB";
    case 416:
      return "not a range";
    default:
      return "an error of the program's own";
  }
}

/// What the library would do of itself, at a viewer's wish, and nobody needs: ranges multiply an answer, and
/// compressing costs more than the network here.
void leave_out(httplib::Request& req) {
  req.ranges.clear();
  req.headers.erase("Range");
  req.headers.erase("Accept-Encoding");
}

}  // namespace

HttpService::HttpService(std::function<bool(const httplib::Request&, httplib::Response&)> route,
                         std::function<void(const httplib::Request&, httplib::Response&)> patch) {
  svr_sock_ = 0;  // to the library a server without a socket is about to end, and it breaks off every stream
  set_default_headers(headers_of_all);
  set_payload_max_length(Connection::max_body);
  set_pre_routing_handler([route = std::move(route)](const httplib::Request& req, httplib::Response& res) {
    return route(req, res) ? HandlerResponse::Handled : HandlerResponse::Unhandled;
  });
  Patch("/api/settings", std::move(patch));
  set_error_handler([](const httplib::Request&, httplib::Response& res) {
    if (res.body.empty()) res.set_content(error_json(res.status, words_for(res.status)), "application/json");
  });
  set_exception_handler([](const httplib::Request& req, httplib::Response& res, std::exception_ptr thrown) {
    try {
      std::rethrow_exception(std::move(thrown));
    } catch (const std::exception& error) {
      spdlog::error("the page: {} {}: {}", req.method, req.path, error.what());
    } catch (...) {
      spdlog::error("the page: {} {} failed", req.method, req.path);
    }
    res.status = 500;
  });
}

void HttpService::answer(Connection& connection) try {
  bool closed = true;
  // Debian 13's library also takes the addresses, which Debian 12's asks the stream for.
  const auto ask = [&](auto& stream) {
    if constexpr (requires { this->process_request(stream, true, closed, leave_out); })
      (void)this->process_request(stream, true, closed, leave_out);
    else
      (void)this->process_request(stream, "", 0, "", 0, true, closed, leave_out);
  };
  ask(connection);
} catch (const std::exception& error) {
  spdlog::error("the page: {}", error.what());
}

}  // namespace glimpse
