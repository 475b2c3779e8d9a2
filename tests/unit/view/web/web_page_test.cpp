#include "view/web/web_page.hpp"

#include <httplib.h>

#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>

#include "capture/frame_tap.hpp"
#include "catch.hpp"

using namespace glimpse;

namespace {

constexpr const char* json_type = "application/json";
constexpr const char* label = "</script><script>alert(1)</script>";

/// Carries out nothing until it is told to.
class SlowControl : public SettingsControl {
 public:
  InForce in_force() const override { return {{}, {"demo", true, "torch", ""}}; }
  void ask(SettingsChange, std::function<void(const std::vector<Refusal>&)> done) override {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(done));
  }
  void finish(const std::vector<Refusal>& refusals) {
    std::unique_lock lock(mutex_);
    const auto all = std::exchange(waiting_, {});
    lock.unlock();
    for (const auto& done : all) done(refusals);
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<void(const std::vector<Refusal>&)>> waiting_;
};

struct Bench {
  explicit Bench(std::chrono::milliseconds patience, const std::string& address = "127.0.0.1:0",
                 std::vector<std::string> names = {}) {
    Listener listener = listen_at(address);
    port = listener.port;
    page = std::make_unique<WebPage>(
        std::move(listener), AccessRules{Reach::loopback, "", "", std::move(names)},
        WebSources{"0.1.0",
                   "a clip",
                   {1, 1000},
                   {0, 86400.5},
                   control,
                   tap,
                   [] {
                     Record record;
                     record.predictions = {{0, label, 0.5}};
                     return record;
                   },
                   [] { return FrameTimes{}; },
                   [](int, int) { return PictureCrop{}; },
                   [this] {
                     ++listings;
                     return std::vector<InstalledModel>{{"demo", "models/demo", true, true},
                                                        {"small", "models/small", false, true},
                                                        {"large", "models/large", true, false}};
                   }},
        patience);
  }
  httplib::Client client(const char* host = "127.0.0.1") const {
    httplib::Client one(host, port);
    one.set_read_timeout(60);
    return one;
  }

  SlowControl control;
  FrameTap tap;
  std::atomic<int> listings = 0;
  int port = 0;
  std::unique_ptr<WebPage> page;
};

bool is_changing(const std::string& settings) {
  return nlohmann::json::parse(settings).at("changing");
}

/// Reads events until the settings say so.
bool settings_event_comes(const Bench& bench, bool changing) {
  std::string text;
  const std::string wanted = changing ? "\"changing\":true}\n" : "\"changing\":false}\n";
  (void)bench.client().Get("/api/events", [&](const char* data, std::size_t size) {
    text.append(data, size);
    return text.find(wanted) == std::string::npos;
  });
  return text.find(wanted) != std::string::npos;
}

}  // namespace

TEST_CASE("The page has the state of now in it, and no label is markup there") {
  Bench bench(std::chrono::seconds(60));
  const auto answer = bench.client().Get("/");
  REQUIRE(answer);
  const std::string begin = R"(<script type="application/json" id="first-status">)";
  const std::size_t at = answer->body.find(begin) + begin.size();
  const auto status = nlohmann::json::parse(answer->body.substr(at, answer->body.find("</script>", at) - at));
  CHECK(status.at("predictions").at(0).at("label") == label);
  CHECK(status.at("view").at("source") == "a clip");
}

TEST_CASE("A change that lasts is answered 202, and the settings tell its end") {
  Bench bench(std::chrono::milliseconds(20));
  const auto answer = bench.client().Patch("/api/settings", R"({"top_k": 3})", json_type);
  REQUIRE(answer);
  CHECK(answer->status == 202);
  CHECK(is_changing(answer->body));
  CHECK(settings_event_comes(bench, true));
  bench.control.finish({});
  CHECK(settings_event_comes(bench, false));
  CHECK_FALSE(is_changing(bench.client().Get("/api/settings")->body));
}

TEST_CASE("A change is answered once it is carried out or refused") {
  for (const bool refused : {false, true}) {
    Bench bench(std::chrono::seconds(60));
    std::jthread controller([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        bench.control.finish(refused ? std::vector<Refusal>{{"top_k", "too many"}} : std::vector<Refusal>{});
        std::this_thread::yield();
      }
    });
    const auto answer = bench.client().Patch("/api/settings", R"({"top_k": 3})", json_type);
    REQUIRE(answer);
    CHECK(answer->status == (refused ? 422 : 200));
    if (refused)
      CHECK(nlohmann::json::parse(answer->body).at("error") == "top_k: too many");
    else
      CHECK_FALSE(is_changing(answer->body));
  }
}

TEST_CASE("An end does not wait for a change") {
  auto bench = std::make_unique<Bench>(std::chrono::minutes(10));
  std::jthread asks([client = std::make_shared<httplib::Client>(bench->client())] {
    (void)client->Patch("/api/settings", R"({"top_k": 3})", json_type);
  });
  while (!is_changing(bench->client().Get("/api/settings")->body)) std::this_thread::yield();
  bench->page.reset();
  bench->control.finish({});  // late, and of no harm
}

TEST_CASE("Limits are whole numbers where they are whole") {
  Bench bench(std::chrono::seconds(60));
  CHECK_THAT(
      bench.client().Get("/api/settings")->body,
      ContainsSubstring(R"("limits":{"top_k":{"min":1,"max":1000},"interval_s":{"min":0,"max":86400.5}})") &&
          ContainsSubstring(R"("interval_s":1})"));
}

TEST_CASE("Each installed model has the forms that are there") {
  Bench bench(std::chrono::seconds(60));
  CHECK(nlohmann::json::parse(bench.client().Get("/api/settings")->body).at("models") ==
        nlohmann::json::parse(R"([
    {"name": "demo", "forms": ["float", "int8"]}, {"name": "small", "forms": ["int8"]}, {"name": "large", "forms": ["float"]}])"));
}

TEST_CASE("The installed models are listed once a second at most") {
  Bench bench(std::chrono::seconds(60));
  const auto from = Steady::now();
  for (int i = 0; i < 30; ++i) REQUIRE(bench.client().Get("/api/settings"));
  const double seconds = std::chrono::duration<double>(Steady::now() - from).count();
  CHECK(bench.listings <= seconds + 1);
}

TEST_CASE("On loopback the page is had by the name that --web gave, and by IPv6") {
  const Bench bench(std::chrono::seconds(60), "[::1]:0", {"desk.example"});
  for (const auto& [host, status] :
       {std::pair("desk.example", 200), std::pair("[::1]", 200), std::pair("other.example", 403)}) {
    const httplib::Headers headers{{"Host", host + std::string(":") + std::to_string(bench.port)}};
    const auto answer = bench.client("::1").Get("/api/settings", headers);
    REQUIRE(answer);
    CHECK(answer->status == status);
  }
}
