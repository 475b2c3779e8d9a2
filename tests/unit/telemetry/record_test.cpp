#include "telemetry/record.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace glimpse;
using Json = nlohmann::ordered_json;

namespace {

Record full_record() {
  Record record;
  record.hostname = "rpiedge";
  record.device = "thing-name";
  record.boot = "b";
  record.seq = 42;
  record.time_ms = 1732262400123;
  record.model = {"demo", true, "onednn", "abc"};
  record.capture_fps = 36;
  record.inference_fps = 29.8049;
  record.frames_seen = 900;
  record.frames_dropped = 12;
  record.frames_skipped = 1;
  record.frame_index = 911;
  record.frame_age_ms = 9.12345;
  record.preprocess_ms = 0.3;
  record.inference_ms = Percentiles{3, 3.2, 4.1};
  record.predictions = {{7, "umbrella", 0.9312345}};
  record.target_fps = 27.004;
  record.target_reason = "throttled";
  record.frames_left_out = 300;
  record.system = {12.54,
                   std::vector<double>{10, 15},
                   412,
                   160,
                   {61.25, std::vector<std::string>{"under-voltage"},
                    std::vector<std::string>{"under-voltage", "throttled"}, 1500.4, 1800}};
  record.delivery =
      DeliveryStatus{7, 40, 33, 2, 5, LinkState::waiting, 1732262390000, "nothing listens", 1732262395000};
  return record;
}

}  // namespace

TEST_CASE("a record is the message of docs/telemetry.md, key for key and in this order") {
  CHECK(to_json(full_record()) ==
        R"({"time":1732262400,"quality":"GOOD","hostname":"rpiedge","value":12.5,)"
        R"("schema":"glimpse/1","device":"thing-name","boot":"b","seq":42,"time_ms":1732262400123,)"
        R"("trigger":"interval",)"
        R"("model":{"name":"demo","quantized":true,"backend":"onednn","sha256":"abc"},)"
        R"("fps":{"capture":36.0,"inference":29.8,"target":27.0,"target_reason":"throttled"},)"
        R"("frames":{"seen":900,"dropped":12,"left_out":300,"skipped":1,"index":911},)"
        R"("latency_ms":{"frame_age":9.123,"preprocess":0.3,"inference":{"p50":3.0,"p90":3.2,"p99":4.1}},)"
        R"("predictions":[{"index":7,"label":"umbrella","probability":0.931235}],)"
        R"("system":{"cpu_percent":12.5,"per_core":[10.0,15.0],"memory_mb":412.0,"rss_mb":160.0,)"
        R"("temperature_c":61.3,"throttled":["under-voltage"],)"
        R"("throttled_since_start":["under-voltage","throttled"],"cpu_mhz":1500.0,"cpu_max_mhz":1800.0},)"
        R"("outbox":{"pending":7,"sent":40,"acknowledged":33,"resent":2,"dropped":5},)"
        R"("link":{"state":"waiting","since_ms":1732262390000,"last_error":"nothing listens",)"
        R"("last_error_ms":1732262395000}})");
}

TEST_CASE("without a broker there is no link; with one that never failed there is no error") {
  Json json = Json::parse(to_json(Record{}));
  CHECK(json["link"].is_null());
  CHECK(json["outbox"]["pending"] == 0);
  Record record;
  record.delivery.emplace();
  json = Json::parse(to_json(record));
  CHECK(json["link"]["state"] == "connecting");
  CHECK(json["link"]["last_error"].is_null());
  CHECK(json["link"]["last_error_ms"].is_null());
}

TEST_CASE("a record of an event says so") {
  Record record = full_record();
  record.trigger = Trigger::change;
  CHECK(Json::parse(to_json(record))["trigger"] == "change");
}

TEST_CASE("what a machine cannot know is null, an empty list is known to be empty") {
  const Json json = Json::parse(to_json(Record{}));
  CHECK(json["value"].is_null());
  CHECK(json["fps"]["capture"].is_null());
  CHECK(json["frames"]["index"].is_null());
  CHECK(json["latency_ms"]["frame_age"].is_null());
  CHECK(json["latency_ms"]["inference"].is_null());
  for (const auto& [key, value] : json["system"].items()) {
    INFO(key);
    CHECK(value.is_null());
  }
  Record record;
  record.system.heat.throttled.emplace();
  record.inference_fps = std::numeric_limits<double>::infinity();
  const Json known = Json::parse(to_json(record));
  CHECK(known["system"]["throttled"] == Json::array());
  CHECK(known["fps"]["inference"].is_null());
}

TEST_CASE("labels of any bytes give one line of valid JSON") {
  Record record = full_record();
  record.predictions = {
      {0, "bad \xff\xc3 bytes", 0.5}, {1, "two\nlines \x01", 0.4}, {2, std::string(1000, 'x'), 0.1}};
  const std::string text = to_json(record);
  CHECK(text.find('\n') == std::string::npos);
  const Json json = Json::parse(text);
  CHECK_THAT(json["predictions"][0]["label"].get<std::string>(), ContainsSubstring("bad \xef\xbf\xbd"));
  CHECK(json["predictions"][1]["label"] == "two\nlines \x01");
  CHECK(json["predictions"][2]["label"].get<std::string>().size() == 256);

  // The cut at 256 bytes does not tear a character: 255 bytes and then one of three.
  record.predictions = {{0, std::string(255, 'x') + "\xe2\x82\xac", 1}};
  CHECK(Json::parse(to_json(record))["predictions"][0]["label"] == std::string(255, 'x'));
}

TEST_CASE("a probability that is no number is null") {
  Record record = full_record();
  record.predictions = {{0, "a", std::numeric_limits<double>::quiet_NaN()},
                        {1, "b", std::numeric_limits<double>::infinity()}};
  const Json json = Json::parse(to_json(record));
  CHECK(json["predictions"][0]["probability"].is_null());
  CHECK(json["predictions"][1]["probability"].is_null());
}

TEST_CASE(
    "a payload stays within AWS's 128 KB: the least probable predictions are left out, and it says how "
    "many") {
  Record record = full_record();
  record.predictions.clear();
  for (int i = 0; i < 2000; ++i) record.predictions.push_back({i, std::string(300, '\x01'), 0.001});
  const std::string text = to_json(record);
  CHECK(text.size() <= 128 * 1024);
  CHECK(text.size() > 120 * 1024);
  const auto read = Json::parse(text);
  CHECK(read["predictions"][0]["index"] == 0);
  CHECK(read["predictions"].size() + read["predictions_left_out"].get<std::size_t>() == 2000);
  record.predictions.resize(2);
  CHECK_FALSE(Json::parse(to_json(record)).contains("predictions_left_out"));
}
