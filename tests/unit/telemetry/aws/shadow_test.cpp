// What the shadow does, against a service that follows AWS's documentation.
#include "telemetry/aws/shadow.hpp"

#include "telemetry/aws/shadow_support.hpp"

using namespace glimpse;

TEST_CASE("a device that has no shadow makes one, and tells all") {
  ShadowRig rig;
  rig.begin();
  CHECK(rig.sent == std::vector<std::string>{"get", "update"});
  CHECK(rig.aws.state() == Json::parse(R"({"reported": {"model": "demo", "sha256": "5e2f", "quantized": false,
    "backend": "onednn", "interval_s": 1, "top_k": 10, "version": "0.1.0"}})"));
  CHECK(rig.reported()["interval_s"].is_number_integer());  // 1, as people write it, and not 1.0
}

TEST_CASE("it listens to answers and differences of its own shadow alone") {
  ShadowRig rig;
  const std::string prefix = "$aws/things/pi-1/shadow/name/glimpse/";
  CHECK(rig.shadow.filters() == std::vector<std::string>{prefix + "get/accepted", prefix + "get/rejected",
                                                         prefix + "update/accepted",
                                                         prefix + "update/rejected", prefix + "update/delta",
                                                         prefix + "update/documents"});
  rig.begin();
  rig.shadow.received({"$aws/things/pi-2/shadow/name/glimpse/update/delta",
                       R"({"version": 9, "timestamp": 9, "state": {"quantized": true}})"});
  rig.settle();
  CHECK(rig.control.asked.empty());
}

TEST_CASE("what the cloud wants is carried out and reported, until no difference is left") {
  ShadowRig rig;
  rig.begin();
  rig.desire({{"quantized", true}, {"model", "mobilenet_v2"}, {"interval_s", 0.5}, {"top_k", 3}});
  REQUIRE(rig.control.asked.size() == 1);
  CHECK(rig.control.now.model.quantized);
  CHECK(rig.control.now.model.name == "mobilenet_v2");
  CHECK(rig.control.now.settings.interval == 500ms);
  CHECK(rig.control.now.settings.top_k == 3);
  CHECK(rig.reported()["interval_s"] == 0.5);
  CHECK(rig.aws.delta() == Json::object());
  CHECK(rig.updates() == 2);
  CHECK(rig.log.count("shadow: the cloud asks for interval_s 0.5, model \"mobilenet_v2\", quantized true, "
                      "top_k 3\n") == 1);
}

TEST_CASE("what was wanted while the device was away is done when it is back") {
  ShadowRig rig;
  rig.aws.desire({{"quantized", true}});
  rig.begin();
  CHECK(rig.control.now.model.quantized);
  rig.aws.desire({{"quantized", false}});  // and is lost: the session broke
  CHECK(rig.control.now.model.quantized);
  rig.begin();
  CHECK_FALSE(rig.control.now.model.quantized);
  CHECK(rig.aws.delta() == Json::object());
}

TEST_CASE(
    "a device that starts with other settings than wished, though it had reported them, gets the wish") {
  ShadowRig before;
  before.begin();
  before.desire({{"quantized", true}});
  ShadowRig rig;
  rig.aws = before.aws;
  rig.begin();
  CHECK(rig.control.now.model.quantized);
}

TEST_CASE("all or nothing: one bad key, and nothing of a wish is carried out") {
  ShadowRig rig;
  rig.begin();
  const Json before = rig.reported();
  struct Row {
    Json wish;
    std::string setting, reason;
  };
  for (const Row& row : {
           Row{{{"top_k", 0}}, "top_k", "expected a whole number from 1 to 1000, got 0"},
           Row{{{"top_k", 1001}}, "top_k", "expected a whole number from 1 to 1000, got 1001"},
           Row{{{"top_k", 2.5}}, "top_k", "expected a whole number from 1 to 1000, got 2.5"},
           Row{{{"top_k", 18446744073709551615u}},
               "top_k",
               "expected a whole number from 1 to 1000, got 18446744073709551615"},
           Row{{{"top_k", "5"}}, "top_k", "expected a whole number from 1 to 1000, got \"5\""},
           Row{{{"interval_s", -1}}, "interval_s", "expected 0, or a number from 0.001 to 86400, got -1"},
           Row{{{"interval_s", 1e300}},
               "interval_s",
               "expected 0, or a number from 0.001 to 86400, got 1e+300"},
           Row{{{"interval_s", 1e-9}},
               "interval_s",
               "expected 0, or a number from 0.001 to 86400, got 1e-09"},
           Row{{{"interval_s", true}}, "interval_s", "expected 0, or a number from 0.001 to 86400, got true"},
           Row{{{"quantized", 1}}, "quantized", "expected true or false, got 1"},
           Row{{{"quantized", {{"a", {{"b", 1}}}}}}, "quantized", "expected true or false, got an object"},
           Row{{{"model", "/etc"}}, "model", "expected the name of an installed model, got \"/etc\""},
           Row{{{"model", ".."}}, "model", "expected the name of an installed model, got \"..\""},
           Row{{{"model", std::string(65, 'm')}},
               "model",
               "expected the name of an installed model, got \"" + std::string(56, 'm') + "..."},
           Row{{{"model", ""}}, "model", "expected the name of an installed model, got \"\""},
           Row{{{"model", Json::array({1})}},
               "model",
               "expected the name of an installed model, got an array"},
           Row{{{"model", "nothing"}}, "model", "there is no nothing; installed are demo, mobilenet_v2"},
           Row{{{"backend", "torch"}},
               "backend",
               "cannot be set; quantized, model, interval_s and top_k can"},
           Row{{{"colour\n", "red"}},
               "colour\\x0a",
               "cannot be set; quantized, model, interval_s and top_k can"},
       }) {
    CAPTURE(row.wish.dump());
    Json wish = row.wish;
    if (row.setting != "quantized") wish["quantized"] = true;
    const auto updates = rig.updates();
    rig.desire(wish);
    CHECK_FALSE(rig.control.now.model.quantized);
    CHECK(rig.errors() == Json{{row.setting, row.reason}});
    CHECK(rig.updates() == updates + 1);
    Json mended;
    for (const auto& [key, value] : wish.items()) mended[key] = nullptr;
    rig.desire(mended);
    CHECK(rig.reported() == before);
  }
}

TEST_CASE("a mended error is deleted, the others stay") {
  ShadowRig rig;
  rig.begin();
  rig.desire({{"top_k", -1}, {"colour", "red"}});
  CHECK(rig.errors().size() == 2);
  rig.desire({{"top_k", 5}});
  CHECK(rig.errors() == Json{{"colour", "cannot be set; quantized, model, interval_s and top_k can"}});
  CHECK(rig.control.now.settings.top_k == 10);
  rig.desire({{"colour", nullptr}});
  CHECK(rig.errors().is_null());
  CHECK(rig.control.now.settings.top_k == 5);
}

TEST_CASE("when all that was desired is deleted no error is left") {
  ShadowRig rig;
  rig.begin();
  rig.desire({{"top_k", -1}});
  CHECK(rig.errors().size() == 1);
  rig.desire(nullptr);
  CHECK(rig.errors().is_null());
}

TEST_CASE("an error from before the program was started anew goes when it holds no longer") {
  ShadowRig rig;
  rig.aws.answer({ShadowService::prefix + "update",
                  R"({"state": {"reported": {"errors": {"model": "there is no x"}}}})"});
  rig.begin();
  CHECK(rig.errors().is_null());
  rig.aws.answer(
      {ShadowService::prefix + "update",
       R"({"state": {"reported": {"errors": {"model": "there is no x"}}, "desired": {"top_k": 0}}})"});
  rig.begin();
  CHECK(rig.errors() == Json{{"top_k", "expected a whole number from 1 to 1000, got 0"}});
}

TEST_CASE("a refused wish is tried once, and again when it is asked for anew or is another") {
  ShadowRig rig;
  rig.begin();
  rig.desire({{"model", "resnet18"}});
  CHECK(rig.control.asked.size() == 1);
  CHECK(rig.updates() == 2);  // AWS sent the difference again after the second; that was the end of it
  rig.begin();
  CHECK(rig.control.asked.size() == 1);
  rig.desire({{"top_k", 5}});  // the model stands as well, so still all or nothing
  CHECK(rig.control.asked.size() == 2);
  CHECK(rig.control.now.settings.top_k == 10);
  rig.control.installed.push_back("resnet18");
  rig.desire({{"model", "resnet18"}});
  CHECK(rig.control.asked.size() == 3);
  CHECK(rig.control.now.model.name == "resnet18");
  CHECK(rig.control.now.settings.top_k == 5);
  CHECK(rig.errors().is_null());
}

TEST_CASE("a refused wish that comes back after another fault has its own error again") {
  ShadowRig rig;
  rig.begin();
  rig.desire({{"model", "resnet18"}});
  const Json errors = rig.errors();
  rig.desire({{"colour", "red"}});
  CHECK(rig.errors() != errors);
  rig.desire({{"colour", nullptr}});
  CHECK(rig.errors() == errors);
  CHECK(rig.control.asked.size() == 1);
}

TEST_CASE("a wish that comes while the control is too busy is tried again after a minute") {
  ShadowRig rig;
  rig.begin();
  rig.control.is_busy = true;
  rig.desire({{"top_k", 5}});
  rig.now += 59s;
  rig.settle();
  CHECK(rig.control.asked.size() == 1);
  CHECK(rig.errors() == Json{{"change", "8 changes wait already: ask again later"}});
  rig.control.is_busy = false;
  rig.now += 1s;
  rig.settle();
  CHECK(rig.control.now.settings.top_k == 5);
  CHECK(rig.errors().is_null());
}

TEST_CASE("what others change is reported and stays, until the cloud asks anew") {
  ShadowRig rig;
  rig.begin();
  rig.desire({{"quantized", true}, {"top_k", 5}});
  rig.control.now.model.quantized = false;  // the configuration was read again
  rig.settle();
  CHECK(rig.reported()["quantized"] == false);
  CHECK(rig.updates() == 3);
  CHECK_FALSE(rig.control.now.model.quantized);
  rig.desire({{"quantized", true}});
  CHECK(rig.control.now.model.quantized);
}

TEST_CASE("documents that are older, or come twice, change nothing") {
  ShadowRig rig;
  rig.begin();
  const auto first = rig.aws.desire({{"top_k", 5}});
  rig.aws.time_s += 5;
  const auto second = rig.aws.desire({{"top_k", 7}});
  rig.deliver(second);
  rig.settle();
  rig.deliver(first);
  rig.deliver(second);
  rig.settle();
  CHECK(rig.control.now.settings.top_k == 7);
  CHECK(rig.control.asked.size() == 1);
}

TEST_CASE("an answer that a newer difference has overtaken changes nothing") {
  ShadowRig rig;
  rig.aws.desire({{"top_k", 5}});
  rig.shadow.began();
  const auto answer = rig.aws.answer(*rig.shadow.next());
  rig.deliver(rig.aws.desire({{"top_k", 7}}));
  rig.control.finish();
  rig.deliver(answer);
  rig.settle();
  CHECK(rig.control.now.settings.top_k == 7);
  CHECK(rig.control.asked.size() == 1);
}

TEST_CASE("a shadow that was deleted and begun anew starts over, whatever its version") {
  ShadowRig rig;
  rig.begin();
  for (const int top_k : {1, 2, 3}) rig.desire({{"top_k", top_k}});
  const auto version = rig.aws.version();
  const bool kept = GENERATE(true, false);
  rig.aws.remove();
  rig.aws.time_s += kept ? 3600 : 48 * 3600 + 1;
  rig.desire({{"top_k", 4}});
  CHECK((rig.aws.version() > version) == kept);
  CHECK(rig.control.now.settings.top_k == 4);
  CHECK(rig.reported().size() == 7);  // all of it, not what has changed alone
}

TEST_CASE("a shadow made anew, with a wish that holds already, is told all") {
  ShadowRig rig;
  rig.begin();
  rig.aws.remove();
  rig.desire({{"top_k", 10}});
  CHECK(rig.control.asked.empty());
  CHECK(rig.reported().size() == 7);
  CHECK(rig.aws.delta() == Json::object());
}

TEST_CASE("one report is on its way at a time, and tells what holds when it goes") {
  ShadowRig rig;
  rig.begin();
  rig.control.now.settings.top_k = 1;
  const auto report = rig.shadow.next();
  REQUIRE(report);
  for (const int top_k : {2, 3, 4}) {
    rig.control.now.settings.top_k = top_k;
    CHECK_FALSE(rig.shadow.next());
  }
  rig.deliver(rig.aws.answer(*report));
  CHECK(rig.reported()["top_k"] == 1);
  rig.settle();
  CHECK(rig.reported()["top_k"] == 4);
  CHECK(rig.updates() == 2);
}

TEST_CASE("while a change is in progress the newest wish alone waits") {
  ShadowRig rig;
  rig.begin();
  for (const int top_k : {5, 6, 7, 8}) rig.deliver(rig.aws.desire({{"top_k", top_k}}));
  CHECK(rig.control.asked.size() == 1);
  rig.settle();
  CHECK(rig.control.asked.size() == 2);
  CHECK(rig.control.now.settings.top_k == 8);
  CHECK(rig.aws.delta() == Json::object());
}

TEST_CASE("a wish that is taken back while it is carried out is undone") {
  ShadowRig rig;
  rig.begin();
  rig.deliver(rig.aws.desire({{"quantized", true}}));
  rig.aws.time_s += 5;
  rig.deliver(rig.aws.desire({{"quantized", false}}));  // no difference to what is reported: no message
  rig.settle();
  CHECK_FALSE(rig.control.now.model.quantized);
  CHECK(rig.reported()["quantized"] == false);
}

TEST_CASE("a rejected report is tried again with the next change, or after a minute") {
  const Json fault = GENERATE(Json{{"code", 429}, {"message", "Too Many Requests"}},
                              Json{{"code", 500}, {"message", "Internal\nservice failure"}},
                              Json{{"code", 409}, {"message", "Version conflict"}});
  ShadowRig rig;
  rig.aws.fails_with = fault;
  rig.begin();
  CHECK(rig.updates() == 1);
  rig.now += 59s;
  rig.settle();
  CHECK(rig.updates() == 1);
  rig.now += 1s;
  rig.settle();
  CHECK(rig.updates() == 2);
  rig.control.now.settings.top_k = 5;
  rig.settle();
  CHECK(rig.updates() == 3);
  CHECK(rig.log.count("shadow: AWS rejected the report: ") == 1);
  CHECK(rig.log.count("\n") == 1);
  rig.aws.fails_with = nullptr;
  rig.control.now.settings.top_k = 6;
  rig.settle();
  CHECK(rig.reported()["top_k"] == 6);
}

TEST_CASE("what is not answered is asked again after a minute, or in the next session") {
  ShadowRig rig;
  rig.shadow.began();
  CHECK(rig.shadow.next()->topic == ShadowService::prefix + "get");
  CHECK_FALSE(rig.shadow.next());
  rig.now += 60s;
  CHECK(rig.shadow.next()->topic == ShadowService::prefix + "get");
  rig.begin();
  rig.control.now.settings.top_k = 5;
  CHECK(rig.shadow.next()->topic == ShadowService::prefix + "update");
  rig.now += 60s;
  rig.settle();
  CHECK(rig.reported()["top_k"] == 5);
}

TEST_CASE("a document that cannot be had is asked for again after a minute, and nothing is reported before") {
  ShadowRig rig;
  rig.shadow.began();
  const Json token = Json::parse(rig.shadow.next()->payload)["clientToken"];
  rig.shadow.received({ShadowService::prefix + "get/rejected",
                       Json{{"code", 403}, {"message", "Forbidden"}, {"clientToken", token}}.dump()});
  CHECK_FALSE(rig.shadow.next());
  CHECK(rig.log.count("shadow: AWS rejected the request for the shadow: 403 Forbidden; ") == 1);
  rig.now += 60s;
  rig.settle();
  CHECK(rig.sent == std::vector<std::string>{"get", "update"});
}

TEST_CASE("answers to others are none for us") {
  ShadowRig rig;
  rig.shadow.began();
  const auto get = rig.shadow.next();
  rig.shadow.received({ShadowService::prefix + "get/rejected", R"({"code": 404, "clientToken": "another"})"});
  rig.shadow.received({ShadowService::prefix + "get/rejected", R"({"code": 404})"});
  rig.shadow.received({ShadowService::prefix + "get/accepted",
                       R"({"state": {"desired": {"top_k": 1}}, "version": 1, "clientToken": "another"})"});
  CHECK_FALSE(rig.shadow.next());
  rig.deliver(rig.aws.answer(*get));
  CHECK(rig.shadow.next());
  CHECK(rig.control.asked.empty());
}

TEST_CASE("the publisher is woken when a change is done, and not after it has ceased to listen") {
  ShadowRig rig;
  int woken = 0;
  rig.shadow.set_on_news([&] { ++woken; });
  rig.begin();
  rig.deliver(rig.aws.desire({{"top_k", 5}}));
  CHECK(woken == 0);
  rig.control.finish();
  CHECK(woken == 1);
  rig.settle();
  rig.deliver(rig.aws.desire({{"top_k", 6}}));
  rig.shadow.set_on_news({});
  rig.control.finish();
  CHECK(woken == 1);
}

TEST_CASE("a shadow may go while a change is in progress") {
  FakeControl control;
  {
    Shadow shadow("pi-1", "0.1.0", control);
    shadow.set_on_news([] { FAIL("nobody listens any more"); });
    shadow.began();
    shadow.received({ShadowService::prefix + "update/delta", R"({"version": 1, "state": {"top_k": 5}})"});
  }
  CHECK(control.finish());
  CHECK(control.now.settings.top_k == 5);
}
