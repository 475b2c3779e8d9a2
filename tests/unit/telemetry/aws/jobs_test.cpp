// The words are those of AWS's page "Jobs device MQTT API operations".
#include "telemetry/aws/jobs.hpp"

#include <nlohmann/json.hpp>

#include "captured_log.hpp"
#include "catch.hpp"

using namespace glimpse;
using namespace std::chrono_literals;
using Json = nlohmann::json;

namespace {

const std::string topic = "$aws/things/pi-1/jobs/";

struct FakeInstaller : ModelInstaller {
  void install(ModelOrder order, Listener listener) override {
    orders.push_back(std::move(order));
    listeners.push_back(std::move(listener));
  }
  void abandon() override { ++abandoned; }

  std::vector<ModelOrder> orders;
  std::vector<Listener> listeners;
  int abandoned = 0;
};

Json document(const std::string& name = "birds") {
  return {{"operation", "install-model"},
          {"name", name},
          {"url", "https://h/" + name + ".tar"},
          {"sha256", std::string(64, 'a')},
          {"size", 1000}};
}

/// A device and what AWS would say to it.
struct Talk {
  FakeInstaller installer;
  Steady::time_point now{1h};
  Jobs jobs{"pi-1", installer, [this] { return now; }};
  CapturedLog log;

  /// The next request's topic below $aws/things/pi-1/jobs/, or "".
  std::string sent() {
    const auto message = jobs.next();
    if (!message) return "";
    request = Json::parse(message->payload);
    REQUIRE(message->topic.rfind(topic, 0) == 0);
    return message->topic.substr(topic.size());
  }
  void hear(const std::string& below, const Json& payload) { jobs.received({topic + below, payload.dump()}); }
  /// The answer to the request that was sent last.
  void answer(const std::string& below, Json payload) {
    payload["clientToken"] = request.at("clientToken");
    payload["timestamp"] = 1489088524;
    hear(below, payload);
  }
  void give(const std::string& id, const Json& job_document, int version = 1, int number = 1) {
    answer("start-next/accepted", {{"execution",
                                    {{"jobId", id},
                                     {"thingName", "pi-1"},
                                     {"jobDocument", job_document},
                                     {"status", "IN_PROGRESS"},
                                     {"queuedAt", 1489096123},
                                     {"lastUpdatedAt", 1489096123},
                                     {"versionNumber", version},
                                     {"executionNumber", number}}}});
  }
  void give_none() { answer("start-next/accepted", Json::object()); }
  void begin(const std::string& id = "022") {
    jobs.began();
    REQUIRE(sent() == "start-next");
    give(id, document());
    REQUIRE(installer.orders.size() == 1);
  }
  void finish(InstallResult result = {"", true, "onednn", "beef"}) {
    installer.listeners.back().done(result);
  }
  void accept(const std::string& id, int version) {
    answer(id + "/update/accepted",
           {{"executionState", {{"status", "IN_PROGRESS"}, {"versionNumber", version}}}});
  }

  Json request;
};

}  // namespace

TEST_CASE("with each session the device asks for the next job") {
  Talk talk;
  CHECK(talk.sent().empty());
  talk.jobs.began();
  CHECK(talk.sent() == "start-next");
  CHECK(talk.request.at("clientToken").get<std::string>().size() <= 64);
  CHECK(talk.sent().empty());
  talk.give_none();
  CHECK(talk.sent().empty());
  talk.jobs.began();
  CHECK(talk.sent() == "start-next");
}

TEST_CASE("a notification of a job has it asked for, one of none does not") {
  Talk talk;
  talk.jobs.began();
  (void)talk.sent();
  talk.give_none();
  talk.hear("notify-next", {{"timestamp", 1}});
  CHECK(talk.sent().empty());
  talk.hear("notify-next", {{"execution", {{"jobId", "022"}, {"status", "QUEUED"}}}, {"timestamp", 1}});
  CHECK(talk.sent() == "start-next");
}

TEST_CASE("a job is carried out, its progress and its end reported") {
  Talk talk;
  talk.begin();
  CHECK(talk.installer.orders[0].name == "birds");
  CHECK(talk.sent().empty());

  int woken = 0;
  talk.jobs.set_on_news([&] { ++woken; });
  talk.installer.listeners[0].progress({"download", 42});
  CHECK(woken == 1);
  CHECK(talk.sent() == "022/update");
  CHECK(talk.request.at("status") == "IN_PROGRESS");
  CHECK(talk.request.at("statusDetails") == Json{{"step", "download"}, {"percent", "42"}});
  CHECK(talk.request.at("expectedVersion") == 1);
  CHECK(talk.request.at("executionNumber") == 1);
  CHECK(talk.request.at("includeJobExecutionState") == true);
  talk.installer.listeners[0].progress({"download", 50});
  talk.installer.listeners[0].progress({"download", 60});
  CHECK(talk.sent().empty());  // until AWS has answered
  talk.accept("022", 2);
  CHECK(talk.sent() == "022/update");
  CHECK(talk.request.at("statusDetails").at("percent") == "60");
  CHECK(talk.request.at("expectedVersion") == 2);
  talk.finish();
  talk.accept("022", 3);
  CHECK(talk.sent() == "022/update");
  CHECK(talk.request.at("status") == "SUCCEEDED");
  CHECK(talk.request.at("expectedVersion") == 3);
  CHECK(talk.request.at("statusDetails") ==
        Json{{"step", "done"}, {"form", "int8"}, {"backend", "onednn"}, {"sha256", "beef"}});
  talk.accept("022", 4);
  CHECK(talk.sent() == "start-next");
  talk.give_none();
  CHECK(talk.sent().empty());
  CHECK(talk.installer.abandoned == 0);
}

TEST_CASE("an answer without the state counts the version on") {
  Talk talk;
  talk.begin();
  talk.installer.listeners[0].progress({"download", 1});
  (void)talk.sent();
  talk.answer("022/update/accepted", Json::object());
  talk.finish();
  (void)talk.sent();
  CHECK(talk.request.at("expectedVersion") == 2);
}

TEST_CASE("what failed says why, in words that AWS takes") {
  Talk talk;
  talk.begin();
  talk.finish({"a\nb é " + std::string(2000, 'x'), false, "", ""});
  CHECK(talk.sent() == "022/update");
  CHECK(talk.request.at("status") == "FAILED");
  const std::string reason = talk.request.at("statusDetails").at("reason");
  CHECK(reason.size() == 1024);
  CHECK(reason.substr(0, 7) == "a?b ?? ");
}

TEST_CASE("a document that is none is rejected, and nothing is begun") {
  for (const Json& bad : {Json("not JSON"), Json{{"operation", "reboot"}}, Json(7), Json(nullptr),
                          Json::array(), Json::object()}) {
    Talk talk;
    talk.jobs.began();
    (void)talk.sent();
    talk.give("022", bad);
    CHECK(talk.installer.orders.empty());
    CHECK(talk.sent() == "022/update");
    CHECK(talk.request.at("status") == "REJECTED");
    CHECK_FALSE(talk.request.at("statusDetails").at("reason").get<std::string>().empty());
    talk.accept("022", 2);
    CHECK(talk.sent() == "start-next");
  }
}

TEST_CASE("a document may come as text, as AWS's pages have it") {
  Talk talk;
  talk.jobs.began();
  (void)talk.sent();
  talk.give("022", document().dump());
  CHECK(talk.installer.orders.size() == 1);
}

TEST_CASE("a session that breaks does not begin the job again, and its end is told in the next") {
  Talk talk;
  talk.begin();
  talk.finish();
  CHECK(talk.sent() == "022/update");
  talk.jobs.began();  // and whether AWS has that is not known
  CHECK(talk.sent() == "start-next");
  talk.give("022", document(), 5);
  CHECK(talk.installer.orders.size() == 1);
  CHECK(talk.sent() == "022/update");
  CHECK(talk.request.at("status") == "SUCCEEDED");
  CHECK(talk.request.at("expectedVersion") == 5);
}

TEST_CASE("an end that AWS had all the same is not told twice") {
  Talk talk;
  talk.begin();
  talk.finish();
  (void)talk.sent();
  talk.jobs.began();
  (void)talk.sent();
  talk.give_none();
  CHECK(talk.sent().empty());
  CHECK(talk.installer.abandoned == 0);
}

TEST_CASE("the same job created anew is another one") {
  Talk talk;
  talk.begin();
  talk.jobs.began();
  (void)talk.sent();
  talk.give("022", document(), 1, 2);
  CHECK(talk.installer.abandoned == 1);
  CHECK(talk.installer.orders.size() == 2);
}

TEST_CASE("a job that AWS takes back is let go, and what the installer says of it is not told") {
  Talk talk;
  talk.begin();
  SECTION("by a notification of none") {
    talk.hear("notify-next", {{"timestamp", 1}});
    CHECK(talk.sent() == "start-next");
    talk.give_none();
  }
  SECTION("by an update that is too late") {
    talk.installer.listeners[0].progress({"download", 1});
    (void)talk.sent();
    const std::string code = GENERATE("InvalidStateTransition", "VersionMismatch");
    talk.answer("022/update/rejected", {{"code", code},
                                        {"message", "m"},
                                        {"executionState", {{"status", "CANCELED"}, {"versionNumber", 9}}}});
    CHECK(talk.sent() == "start-next");
    talk.give_none();
  }
  SECTION("and deleted") {
    talk.installer.listeners[0].progress({"download", 1});
    (void)talk.sent();
    talk.answer("022/update/rejected", {{"code", "ResourceNotFound"}, {"message", "m"}});
    CHECK(talk.sent() == "start-next");
    talk.give_none();
  }
  CHECK(talk.installer.abandoned == 1);
  CHECK(talk.log.count("job 022: AWS has taken it back") == 1);
  talk.finish();
  CHECK(talk.sent().empty());
}

TEST_CASE("another job in its place is begun") {
  Talk talk;
  talk.begin();
  talk.hear("notify-next", {{"execution", {{"jobId", "023"}}}});
  (void)talk.sent();
  talk.give("023", document("cats"));
  CHECK(talk.installer.abandoned == 1);
  REQUIRE(talk.installer.orders.size() == 2);
  talk.installer.listeners[0].progress({"download", 9});  // of the first
  CHECK(talk.sent().empty());
  talk.finish();
  CHECK(talk.sent() == "023/update");
}

TEST_CASE("a version that AWS has otherwise is taken over") {
  Talk talk;
  talk.begin();
  talk.finish();
  (void)talk.sent();
  talk.answer("022/update/rejected", {{"code", "VersionMismatch"},
                                      {"message", "m"},
                                      {"executionState", {{"status", "IN_PROGRESS"}, {"versionNumber", 7}}}});
  CHECK(talk.sent() == "022/update");
  CHECK(talk.request.at("status") == "SUCCEEDED");
  CHECK(talk.request.at("expectedVersion") == 7);
}

TEST_CASE("where AWS says later, the device waits") {
  Talk talk;
  talk.begin();
  talk.finish();
  (void)talk.sent();
  talk.answer("022/update/rejected", {{"code", "RequestThrottled"}, {"message", "m"}});
  CHECK(talk.sent().empty());
  talk.now += 29s;
  CHECK(talk.sent().empty());
  talk.now += 1s;
  CHECK(talk.sent() == "start-next");
  talk.answer("start-next/rejected", {{"code", "InternalError"}, {"message", "m"}});
  CHECK(talk.sent().empty());
  talk.now += 30s;
  CHECK(talk.sent() == "start-next");
  talk.give("022", document());
  CHECK(talk.sent() == "022/update");
}

TEST_CASE("details that AWS does not take are left out") {
  Talk talk;
  talk.begin();
  talk.finish({"why", false, "", ""});
  (void)talk.sent();
  talk.answer("022/update/rejected", {{"code", "InvalidRequest"}, {"message", "m"}});
  talk.now += 30s;
  CHECK(talk.sent() == "start-next");
  talk.give("022", document());
  CHECK(talk.sent() == "022/update");
  CHECK(talk.request.at("status") == "FAILED");
  CHECK_FALSE(talk.request.contains("statusDetails"));
}

TEST_CASE("an answer that does not come is not waited for without end") {
  Talk talk;
  talk.jobs.began();
  CHECK(talk.sent() == "start-next");
  talk.now += 30s;
  CHECK(talk.sent() == "start-next");
  talk.give("022", document());
  talk.finish();
  CHECK(talk.sent() == "022/update");
  talk.now += 30s;
  CHECK(talk.sent() == "start-next");
}

TEST_CASE("what others say, or what is no answer, changes nothing") {
  Talk talk;
  talk.jobs.began();
  (void)talk.sent();
  for (const char* junk : {"{\"clientToken\": \"another's\", \"execution\": {\"jobId\": \"1\"}}", "", "{",
                           "[]", "7", "null", "\xff\xfe", "{\"clientToken\": 5, \"execution\": 7}",
                           "{\"clientToken\": \"another's\", \"execution\": {\"jobId\": \"1\"}}"})
    talk.jobs.received({topic + "start-next/accepted", junk});
  talk.jobs.received({topic + "start-next/accepted", std::string(100000, '[')});
  CHECK(talk.sent().empty());
  talk.jobs.received({"$aws/things/pi-2/jobs/notify-next", "{\"execution\": {\"jobId\": \"1\"}}"});
  talk.hear("another/topic", {{"execution", {{"jobId", "1"}}}});
  talk.give_none();
  CHECK(talk.sent().empty());
  CHECK(talk.installer.orders.empty());
}

TEST_CASE("a job whose id would make another topic is not answered") {
  for (const Json& id : {Json("../../shadow/update"), Json("a/b"), Json("+"), Json("#"), Json("$next"),
                         Json(""), Json(7), Json(std::string(65, 'a'))}) {
    Talk talk;
    talk.jobs.began();
    (void)talk.sent();
    talk.answer("start-next/accepted", {{"execution", {{"jobId", id}, {"jobDocument", document()}}}});
    CHECK(talk.installer.orders.empty());
    CHECK(talk.sent().empty());
    CHECK(talk.log.count("no answer of AWS IoT Jobs") == 1);
  }
}

TEST_CASE("the filters are below the thing's own jobs, and few") {
  Talk talk;
  CHECK(talk.jobs.filters().size() <= 8);
  for (const std::string& filter : talk.jobs.filters()) CHECK(filter.rfind(topic, 0) == 0);
}

TEST_CASE("an installer that outlives the conversation tells nobody") {
  FakeInstaller installer;
  int woken = 0;
  {
    Jobs jobs("pi-1", installer);
    jobs.set_on_news([&] { ++woken; });
    jobs.began();
    const auto request = Json::parse(jobs.next()->payload);
    jobs.received(
        {topic + "start-next/accepted", Json{{"clientToken", request.at("clientToken")},
                                             {"execution", {{"jobId", "1"}, {"jobDocument", document()}}}}
                                            .dump()});
    REQUIRE(installer.listeners.size() == 1);
  }
  installer.listeners[0].done({});
  CHECK(woken == 0);
}
