#include "catch.hpp"
#include "config/settings.hpp"
#include "core/error.hpp"
#include "temp_folder.hpp"

using namespace glimpse;

namespace {

struct ConfigFile {
  explicit ConfigFile(const std::string& text) : path(folder.write("glimpse.json", text)) {}
  const TempFolder folder;
  const std::string path;
};

std::string refusal(const std::string& text, ExitCode expected = ExitCode::configuration) {
  const ConfigFile file(text);
  Settings settings;
  settings.model.top_k = 7;
  try {
    load_config(file.path, settings);
  } catch (const Error& error) {
    CHECK(error.code() == expected);
    CHECK(settings.model.top_k == 7);  // whole or not at all
    return error.what();
  }
  FAIL("taken without a word: " + text);
  return "";
}

}  // namespace

TEST_CASE("A configuration file sets what it names and leaves the rest") {
  const ConfigFile file(R"({"source": {"uri": "test", "fps": 12.5}, "model": {"quantized": true, "top_k": 3},
                            "telemetry": {"interval_s": 0.25, "event_hold_s": 0.1, "event_confidence": 0.7,
                                          "events_per_hour": 0, "broker": "mqtts://localhost:8883"}})");
  Settings settings;
  load_config(file.path, settings);
  CHECK(settings.source.uri == "test");
  CHECK(settings.source.fps == 12.5);
  CHECK(settings.model.quantized);
  CHECK(settings.model.top_k == 3);
  CHECK(settings.telemetry.interval.count() == 250);
  CHECK(settings.telemetry.event_hold.count() == 100);
  CHECK(settings.telemetry.event_confidence == 0.7);
  CHECK(settings.telemetry.events_per_hour == 0);
  CHECK(settings.telemetry.broker == "mqtts://localhost:8883");
  CHECK(settings.model.backend == "auto");
}

TEST_CASE("The way to the broker is set in the file") {
  const ConfigFile file(
      R"({"telemetry": {"proxy": "http://user:word@proxy.example:3128", "keep_alive_s": 90}})");
  Settings settings;
  load_config(file.path, settings);
  CHECK(settings.telemetry.proxy == "http://user:word@proxy.example:3128");
  CHECK(settings.telemetry.keep_alive == std::chrono::seconds(90));
  CHECK_THAT(refusal(R"({"telemetry": {"keep_alive_s": 30}})"),
             ContainsSubstring("telemetry.keep_alive_s: expected a number from 56 to 1200, got 30"));
}

TEST_CASE("What to_config writes, load_config reads back") {
  Settings settings;
  settings.source.uri = "frames/ \"quoted\"";
  settings.telemetry.interval = std::chrono::milliseconds(1500);
  settings.model.threads = 3;
  const ConfigFile file(to_config(settings));
  Settings again;
  load_config(file.path, again);
  CHECK(again.source.uri == settings.source.uri);
  CHECK(again.telemetry.interval == settings.telemetry.interval);
  CHECK(again.model.threads == 3);
}

TEST_CASE("The defaults as to_config writes them are read back, and stay the defaults") {
  const ConfigFile file(to_config(Settings{}));
  Settings again;
  load_config(file.path, again);
  CHECK(to_config(again) == to_config(Settings{}));
  CHECK(again.model.threads == 0);
}

TEST_CASE("A wrong type is named by its path") {
  CHECK_THAT(refusal(R"({"telemetry": {"interval_s": "fast"}})"),
             ContainsSubstring("telemetry.interval_s: expected a number from 0 to 86400, got \"fast\""));
  CHECK_THAT(refusal(R"({"model": {"quantized": 1}})"),
             ContainsSubstring("model.quantized: expected true or false, got 1"));
  CHECK_THAT(refusal(R"({"model": {"top_k": 2.5}})"),
             ContainsSubstring("model.top_k: expected a whole number from 1 to 1000, got 2.5"));
  CHECK_THAT(refusal(R"({"model": 5})"), ContainsSubstring("model: expected an object, got 5"));
  CHECK_THAT(refusal(R"([1])"), ContainsSubstring("expected an object"));
}

TEST_CASE("A value out of range is named by its path") {
  CHECK_THAT(refusal(R"({"model": {"top_k": 0}})"), ContainsSubstring("model.top_k"));
  CHECK_THAT(refusal(R"({"model": {"top_k": 99999999999}})"), ContainsSubstring("model.top_k"));
  CHECK_THAT(refusal(R"({"telemetry": {"event_hold_s": -1}})"),
             ContainsSubstring("telemetry.event_hold_s: expected a number from 0 to 3600"));
  CHECK_THAT(refusal(R"({"telemetry": {"event_confidence": 50}})"),
             ContainsSubstring("telemetry.event_confidence: expected a number from 0 to 1, got 50"));
  CHECK_THAT(refusal(R"({"telemetry": {"events_per_hour": -1}})"),
             ContainsSubstring("telemetry.events_per_hour: expected a whole number from 0 to 1000000"));
  CHECK_THAT(refusal(R"({"source": {"fps": 1e9}})"),
             ContainsSubstring("source.fps: expected a number from 1 to 1000"));
}

TEST_CASE("An unknown key is named by its path, with those that are known") {
  const std::string message = refusal(R"({"telemetry": {"intervall_s": 1}})");
  CHECK_THAT(message, ContainsSubstring("telemetry.intervall_s: unknown key"));
  CHECK_THAT(message, ContainsSubstring("telemetry.interval_s"));
}

TEST_CASE("One bad value keeps the good ones beside it out") {
  refusal(R"({"model": {"top_k": 3, "threads": "many"}})");
}

TEST_CASE("Malformed JSON is named by line and column") {
  CHECK_THAT(refusal("{\n  \"model\": {\n    \"top_k\": 3,,\n  }\n}"),
             ContainsSubstring(":3:16: not valid JSON"));
  CHECK_THAT(refusal(""), ContainsSubstring(":1:1: not valid JSON"));
  CHECK_THAT(refusal("{\"a\": \"\xff\"}"), ContainsSubstring("not valid JSON"));
  CHECK_THAT(refusal(R"({"source": {"fps": 1e999}})"), ContainsSubstring("too large"));
}

TEST_CASE("Brackets as deep as a file can hold them are refused like any other wrong type") {
  const std::string open(400'000, '['), close(400'000, ']');
  CHECK_THAT(refusal(open + close), ContainsSubstring("expected an object, got an array"));
  CHECK_THAT(refusal(R"({"source": )" + open + close + "}"),
             ContainsSubstring("source: expected an object, got an array"));
  CHECK_THAT(refusal(R"({"model": {"top_k": {"a": 1}}})"),
             ContainsSubstring("from 1 to 1000, got an object"));
}

TEST_CASE("A configuration that cannot be read is refused") {
  Settings settings;
  CHECK_THROWS_AS(load_config("/nowhere/glimpse.json", settings), Error);
  CHECK_THROWS_AS(load_config("/tmp", settings), Error);
  refusal(std::string(2u << 20, ' '));
}
