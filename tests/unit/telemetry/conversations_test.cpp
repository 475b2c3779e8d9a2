#include "telemetry/conversations.hpp"

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("a topic filter stands for the topics that MQTT says") {
  // MQTT 3.1.1, 4.7.1: its own examples.
  const auto [filter, topic, expected] = GENERATE(table<std::string, std::string, bool>({
      {"sport/tennis/player1/#", "sport/tennis/player1", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
      {"sport/tennis/+", "sport/tennis/player1", true},
      {"sport/tennis/+", "sport/tennis/player1/ranking", false},
      {"sport/+", "sport", false},
      {"sport/+", "sport/", true},
      {"+/+", "/finance", true},
      {"/+", "/finance", true},
      {"+", "/finance", false},
      {"a/b", "a/b", true},
      {"a/b", "a/bc", false},
      {"a/b", "a", false},
      {"#", "a/b/c", true},
  }));
  CAPTURE(filter, topic);
  CHECK(matches(filter, topic) == expected);
}
