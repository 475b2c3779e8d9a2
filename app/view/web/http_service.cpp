#include "view/web/http_service.hpp"

#include <spdlog/spdlog.h>

#include <exception>

#include "view/web/refusal.hpp"
#include "view/web/request_body.hpp"
#include "view/web/settings_json.hpp"

namespace glimpse {
namespace {

using httplib::Request;
using httplib::Response;

void log_failure(const Request& req, Response& res, std::exception_ptr thrown) {
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const std::exception& error) {
    spdlog::error("the page: {} {}: {}", req.method, req.path, error.what());
  } catch (...) {
    spdlog::error("the page: {} {} failed", req.method, req.path);
  }
  res.status = 500;
}

/// For one request, which `handle` answers.
class OneRequest : private httplib::Server {
 public:
  explicit OneRequest(const std::function<void(const Request&, Response&)>& handle) {
    svr_sock_ =
        0;  // to the library a server without a socket is about to end, and it breaks off every stream
    set_default_headers({headers_of_all.begin(), headers_of_all.end()});
    set_pre_routing_handler([handle](const Request& req, Response& res) {
      handle(req, res);
      return HandlerResponse::Handled;
    });
    // Of what the library itself refuses.
    set_error_handler([](const Request&, Response& res) {
      if (!res.body.empty()) return;
      const char* words =
          res.status == 400 ? "not a request that can be understood" : "an error of the program's own";
      res.set_content(error_json(res.status, words), "application/json");
    });
    set_exception_handler(log_failure);
  }

  void answer(Connection& connection) {
    bool closed = true;
    // Debian 13's library also takes the addresses, which Debian 12's asks the stream for.
    const auto ask = [&](auto& stream) {
      if constexpr (requires { this->process_request(stream, true, closed, nullptr); })
        (void)this->process_request(stream, true, closed, nullptr);
      else
        (void)this->process_request(stream, "", 0, "", 0, true, closed, nullptr);
    };
    ask(connection);
  }
};

}  // namespace

void HttpService::answer(Connection& connection) const try {
  OneRequest([&](const Request& req, Response& res) {
    if (route_(req, res)) return;
    const RequestBody body = read_body(req, connection);
    if (body.status == 200) return patch_(body.text, res);
    res.status = body.status;
    res.set_content(error_json(body.status, body.text), "application/json");
  }).answer(connection);
} catch (const std::exception& error) {
  spdlog::error("the page: {}", error.what());
}

}  // namespace glimpse
