#include "view/web/web_page.hpp"

#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "view/web/event_feed.hpp"
#include "view/web/http_service.hpp"
#include "view/web/page_files.hpp"
#include "view/web/picture_feed.hpp"
#include "view/web/reception.hpp"
#include "view/web/settings_json.hpp"
#include "view/web/web_state.hpp"

namespace glimpse {
namespace {

using httplib::Request;
using httplib::Response;

constexpr auto between_listings = std::chrono::seconds(1);
constexpr auto snapshot_patience = std::chrono::seconds(2);
constexpr auto look_after = std::chrono::seconds(1);  // whether a viewer to whom nothing was sent is there
constexpr const char* json_type = "application/json";

void fail(Response& res, int status, const std::string& error, const std::vector<Refusal>& refusals = {}) {
  res.status = status;
  res.set_content(error_json(status, error, refusals), json_type);
}

/// What comes of a change, from the control's thread to the one that answers; whoever is last frees it.
struct Outcome {
  std::mutex mutex;
  std::condition_variable_any known;
  std::optional<std::vector<Refusal>> refusals;
};

/// The page with the state of now in it, so that there is something to see before the first event.
std::string with_status(std::string_view page, const std::string& status) {
  constexpr std::string_view place = R"(id="first-status">)";
  std::string text(page);
  std::string safe;  // no text in it ends the script element
  for (const char c : status) c == '<' ? safe += "\\u003c" : safe += c;
  const std::size_t at = text.find(place) + place.size();
  return text.replace(at, std::string_view("null").size(), safe);
}

}  // namespace

struct WebPage::Impl {
  Impl(Listener listener, AccessRules access, WebSources from, std::chrono::milliseconds patience)
      : sources(std::move(from)),
        rules(std::move(access)),
        change_patience(patience),
        state(sources),
        pictures(sources.frames),
        events({[this] { return settings(); }, [this] { return state.history(); },
                [this] { return state.status(counts()); }, [this] { state.sample(); }}),
        service([this](const Request& req, Response& res) { return route(req, res); },
                [this](const std::string& body, Response& res) { change(body, res); }),
        reception(std::move(listener.socket),
                  [this](Connection& connection) { service.answer(connection); }) {}

  ~Impl() { stop.request_stop(); }

  [[nodiscard]] WebCounts counts() const {
    return {pictures.viewers(), events.readers(), pictures.encoded()};
  }
  [[nodiscard]] std::string settings() {
    return settings_json(sources.control.in_force(), sources, models(), *changing > 0);
  }
  /// At most a second old: events ask five times a second, and each time would read several folders.
  [[nodiscard]] std::vector<InstalledModel> models() {
    const std::lock_guard lock(models_mutex);
    if (const auto now = Steady::now(); !listed_at || now - *listed_at >= between_listings) {
      listed = sources.models();
      listed_at = now;
    }
    return listed;
  }

  bool route(const Request& req, Response& res);
  [[nodiscard]] bool admit(const Request& req, Response& res);
  void get(const Request& req, Response& res);
  void stream_pictures(Response& res);
  void stream_events(Response& res);
  void send_snapshot(Response& res);
  void send_health(Response& res);
  void change(const std::string& body, Response& res);

  const WebSources sources;
  const AccessRules rules;
  const std::chrono::milliseconds change_patience;
  std::mutex models_mutex;  // guards both below
  std::optional<Steady::time_point> listed_at;
  std::vector<InstalledModel> listed;
  std::stop_source stop;
  const std::shared_ptr<std::atomic<int>> changing = std::make_shared<std::atomic<int>>(0);
  WebState state;
  PictureFeed pictures;
  EventFeed events;
  HttpService service;
  Reception reception;  // last: its threads use all of the above
};

WebPage::WebPage(Listener listener, AccessRules rules, WebSources sources,
                 std::chrono::milliseconds change_patience)
    : impl_(std::make_unique<Impl>(std::move(listener), std::move(rules), std::move(sources),
                                   change_patience)) {}

WebPage::~WebPage() = default;

bool WebPage::Impl::admit(const Request& req, Response& res) {
  const bool reads = req.method == "GET" || req.method == "HEAD";
  const Asking asking{req.path,
                      req.get_header_value("Host"),
                      req.get_header_value("Origin"),
                      req.get_header_value("Authorization"),
                      req.get_header_value("Cookie"),
                      reads ? req.get_param_value("token") : ""};
  switch (judge(rules, asking)) {
    case Verdict::granted:
      return true;
    case Verdict::foreign_host:
      fail(res, 403, "the name in the address is not this machine's: open it by its IP address");
      return false;
    case Verdict::foreign_origin:
      fail(res, 403, "asked by a page of another origin");
      return false;
    case Verdict::no_token:
      break;
  }
  res.set_header("WWW-Authenticate", "Bearer");
  fail(res, 401, "no token, or not the token: glimpse says at its start where it is");
  return false;
}

/// True: answered.
bool WebPage::Impl::route(const Request& req, Response& res) {
  if (!admit(req, res)) return true;
  if (req.method == "GET" || req.method == "HEAD") {
    get(req, res);
    return true;
  }
  const bool is_settings = req.path == "/api/settings";
  if (req.method != "PATCH" || !is_settings) {
    res.set_header("Allow", is_settings ? "GET, HEAD, PATCH" : "GET, HEAD");
    fail(res, 405, req.method + " is not for " + req.path);
    return true;
  }
  const std::string type = req.get_header_value("Content-Type");
  if (type.substr(0, type.find_first_of("; ")) != json_type) {
    fail(res, 415, "the body of a PATCH is application/json");
    return true;
  }
  return false;  // to change(), once the body is read
}

void WebPage::Impl::get(const Request& req, Response& res) {
  const std::string& path = req.path;
  if (path == "/" && rules.reach == Reach::token && req.has_param("token")) {
    res.status = 303;
    res.set_header("Location", "/");
    res.set_header("Set-Cookie", rules.cookie + "=" + rules.token +
                                     "; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000");
  } else if (path == "/api/status") {
    res.set_content(state.status(counts()) + "\n", json_type);
  } else if (path == "/api/settings") {
    res.set_content(settings() + "\n", json_type);
  } else if (path == "/api/events") {
    stream_events(res);
  } else if (path == "/stream.mjpg") {
    stream_pictures(res);
  } else if (path == "/snapshot.jpg") {
    send_snapshot(res);
  } else if (path == "/metrics") {
    res.set_content(state.metrics(counts()), "text/plain; version=0.0.4; charset=utf-8");
  } else if (path == "/healthz") {
    send_health(res);
  } else if (path == "/") {
    res.set_content(with_status(page_file("index.html"), state.status(counts())), content_type("index.html"));
  } else {
    const std::string name = path.substr(1);
    const std::string_view file = page_file(name);
    if (file.empty()) return fail(res, 404, "no such path: " + path);
    res.set_content(file.data(), file.size(), content_type(name));
  }
}

void WebPage::Impl::stream_pictures(Response& res) {
  const auto viewer = std::make_shared<PictureFeed::Viewer>(pictures);
  // Each part ends with the next one's boundary: some browsers show it no sooner.
  res.set_content_provider("multipart/x-mixed-replace; boundary=" + std::string(PictureFeed::boundary),
                           [this, viewer](std::size_t offset, httplib::DataSink& sink) {
                             if (offset == 0) {
                               const std::string begin = "--" + std::string(PictureFeed::boundary) + "\r\n";
                               return sink.write(begin.data(), begin.size());
                             }
                             const auto part = viewer->next(Steady::now() + look_after, stop.get_token());
                             if (stop.stop_requested()) return false;
                             return part ? sink.write(part->data(), part->size()) : sink.is_writable();
                           });
}

void WebPage::Impl::stream_events(Response& res) {
  const auto reader = std::make_shared<EventFeed::Reader>(events);
  res.set_content_provider("text/event-stream", [this, reader](std::size_t, httplib::DataSink& sink) {
    const std::string text = reader->next(Steady::now() + look_after, stop.get_token());
    if (stop.stop_requested()) return false;
    return text.empty() ? sink.is_writable() : sink.write(text.data(), text.size());
  });
}

void WebPage::Impl::send_snapshot(Response& res) {
  const auto picture = pictures.snapshot(Steady::now() + snapshot_patience, stop.get_token());
  if (!picture) return fail(res, 503, "no picture came within 2 s");
  res.set_content(*picture, "image/jpeg");
}

void WebPage::Impl::send_health(Response& res) {
  const std::string fault = state.fault();
  res.status = fault.empty() ? 200 : 503;
  res.set_content(
      fault.empty() ? "{\"healthy\": true}\n" : "{\"healthy\": false, \"reason\": \"" + fault + "\"}\n",
      json_type);
}

void WebPage::Impl::change(const std::string& body, Response& res) {
  auto parsed = parse_change(body);
  if (const auto* bad = std::get_if<BadChange>(&parsed)) return fail(res, 400, bad->error);
  auto& wanted = std::get<SettingsChange>(parsed);
  const auto refuse = [&](const std::vector<Refusal>& refusals) {
    const Refusal& first = refusals.front();
    fail(res, 422, (first.setting.empty() ? "" : first.setting + ": ") + first.reason, refusals);
  };
  // By name alone: who may change a setting must not choose among all files of the machine.
  if (wanted.model) {
    const auto models = sources.models();
    const auto is_asked = [&](const InstalledModel& model) { return model.name == *wanted.model; };
    if (std::none_of(models.begin(), models.end(), is_asked))
      return refuse({{"model", "no model of this name is installed"}});
  }
  const auto outcome = std::make_shared<Outcome>();
  ++*changing;
  sources.control.ask(std::move(wanted),
                      [outcome, changing = changing](const std::vector<Refusal>& refusals) {
                        --*changing;
                        const std::lock_guard lock(outcome->mutex);
                        outcome->refusals = refusals;
                        outcome->known.notify_all();
                      });
  std::unique_lock lock(outcome->mutex);
  const bool known = outcome->known.wait_for(lock, stop.get_token(), change_patience,
                                             [&] { return outcome->refusals.has_value(); });
  if (known && !outcome->refusals->empty()) return refuse(*outcome->refusals);
  res.status = known ? 200 : 202;
  res.set_content(settings() + "\n", json_type);
}

}  // namespace glimpse
