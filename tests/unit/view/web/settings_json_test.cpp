#include "view/web/settings_json.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"

using namespace glimpse;

namespace {

SettingsChange taken(const std::string& body) {
  const auto parsed = parse_change(body);
  REQUIRE(std::holds_alternative<SettingsChange>(parsed));
  return std::get<SettingsChange>(parsed);
}

std::string refused(const std::string& body) {
  const auto parsed = parse_change(body);
  REQUIRE(std::holds_alternative<BadChange>(parsed));
  return std::get<BadChange>(parsed).error;
}

}  // namespace

TEST_CASE("A change has what it names, and nothing else") {
  const SettingsChange all = taken(R"({"model": "demo", "quantized": true, "top_k": 5, "interval_s": 0.25})");
  CHECK(all.model == "demo");
  CHECK(all.quantized == true);
  CHECK(all.top_k == 5);
  CHECK(all.interval == std::chrono::milliseconds(250));
  CHECK_FALSE(all.events);
  const SettingsChange one = taken(R"({"quantized": false})");
  CHECK(one.quantized == false);
  CHECK_FALSE(one.model);
  CHECK_FALSE(one.top_k);
  CHECK_FALSE(one.interval);
}

TEST_CASE("An interval is 0, or at least a millisecond") {
  CHECK(taken(R"({"interval_s": 0})").interval == std::chrono::milliseconds(0));
  CHECK(taken(R"({"interval_s": 0.0})").interval == std::chrono::milliseconds(0));
  CHECK(taken(R"({"interval_s": 0.001})").interval == std::chrono::milliseconds(1));
  CHECK(taken(R"({"interval_s": 0.0016})").interval == std::chrono::milliseconds(2));
}

TEST_CASE("Numbers beyond all bounds stay beyond them, and no number turns into another") {
  CHECK(taken(R"({"top_k": 9223372036854775807})").top_k == 1'000'000'000);
  CHECK(taken(R"({"top_k": -9223372036854775808})").top_k == -1'000'000'000);
  CHECK(taken(R"({"interval_s": 1e300})").interval == std::chrono::seconds(1'000'000'000));
  CHECK(taken(R"({"interval_s": -1e300})").interval == std::chrono::seconds(-1'000'000'000));
}

TEST_CASE("What is no change says why") {
  CHECK_THAT(refused("{"), ContainsSubstring("not JSON"));
  CHECK_THAT(refused("\xff"), ContainsSubstring("not JSON"));
  CHECK_THAT(refused(std::string(4096, '[')), ContainsSubstring("not JSON"));
  CHECK_THAT(refused("[]"), ContainsSubstring("not a JSON object"));
  CHECK_THAT(refused("{}"), ContainsSubstring("names nothing"));
  CHECK_THAT(refused(R"({"sou\nrce": 1})"), ContainsSubstring("sou\\x0arce: unknown key"));
  CHECK(refused(R"({"top_k": 2.5})") == "top_k: expected a whole number");
  CHECK(refused(R"({"quantized": 1})") == "quantized: expected true or false");
  CHECK(refused(R"({"model": null})") == "model: expected a text");
  for (const char* value : {"\"1\"", "0.0004", "0.00099", "-0.0004", "1e-300"})
    CHECK(refused(R"({"top_k": 5, "interval_s": )" + std::string(value) + "}") ==
          "interval_s: expected a number, 0 or at least 0.001");
}

TEST_CASE("An error is JSON whatever its text") {
  const auto json = nlohmann::json::parse(error_json(404, "no \"such\" \xff\n path", {}));
  CHECK(json.at("status") == 404);
  CHECK_FALSE(json.contains("refusals"));
  const auto refusal = nlohmann::json::parse(error_json(422, "no", {{"top_k", "too many"}}));
  CHECK(refusal.at("refusals").at(0).at("setting") == "top_k");
}
