#include "telemetry/session_breaks.hpp"

#include "catch.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {

struct Sessions {
  SessionBreaks breaks{"thing",
                       {"glimpse/v1/thing/status", "glimpse/v1/thing/telemetry", "$aws/things/thing/*",
                        "$aws/things/thing/*"}};
  Steady::time_point now = Steady::time_point(1h);

  /// A session that lasts `length`, with the first message of each topic acknowledged or not.
  std::optional<LinkFault> one(bool status_taken, std::optional<bool> telemetry_taken,
                               Steady::duration length = 100ms) {
    breaks.began(now);
    breaks.published(Topic::status, now);
    if (status_taken) breaks.acknowledged(Topic::status);
    if (telemetry_taken) breaks.published(Topic::telemetry, now);
    if (telemetry_taken.value_or(false)) breaks.acknowledged(Topic::telemetry);
    now += length;
    return breaks.broke(now);
  }
};

}  // namespace

TEST_CASE("Three sessions ended by a publish: the topic is set aside and the missing permission named") {
  Sessions it;
  CHECK_FALSE(it.one(true, false));
  CHECK_FALSE(it.one(true, false));
  CHECK(it.breaks.rests_until(Topic::telemetry) < it.now);
  const auto fault = it.one(true, false);
  REQUIRE(fault);
  CHECK(fault->problem == LinkProblem::publish_forbidden);
  CHECK_THAT(fault->reason, ContainsSubstring("iot:Publish") &&
                                ContainsSubstring("topic/glimpse/v1/thing/telemetry") &&
                                ContainsSubstring("5 minutes"));
  CHECK_FALSE(is_credentials_fault(fault->problem));
  CHECK(it.breaks.rests_until(Topic::telemetry) == it.now + 5min);
  CHECK(it.breaks.rests_until(Topic::status) < it.now);
}

TEST_CASE("After its rest one more try is enough, and the rest doubles to six hours") {
  Sessions it;
  for (int i = 0; i < 3; ++i) (void)it.one(true, false);
  for (const auto rest : {10min, 20min, 40min, 80min, 160min, 320min, 360min, 360min}) {
    it.now = it.breaks.rests_until(Topic::telemetry);
    REQUIRE(it.one(true, false));
    CHECK(it.breaks.rests_until(Topic::telemetry) == it.now + rest);
  }
  it.now = it.breaks.rests_until(Topic::telemetry);
  CHECK_FALSE(it.one(true, true));   // mended
  CHECK_FALSE(it.one(true, false));  // and the count begins anew
}

TEST_CASE("A forbidden status is told apart from forbidden telemetry") {
  Sessions it;
  (void)it.one(false, std::nullopt);
  (void)it.one(false, std::nullopt);
  const auto fault = it.one(false, std::nullopt);
  REQUIRE(fault);
  CHECK_THAT(fault->reason, ContainsSubstring("topic/glimpse/v1/thing/status"));
  CHECK(it.breaks.rests_until(Topic::telemetry) < it.now);
}

TEST_CASE("A break long after the publish, or after an acknowledgement, is no ban") {
  Sessions it;
  for (int i = 0; i < 5; ++i) CHECK_FALSE(it.one(true, false, 61s));
  for (int i = 0; i < 2; ++i) CHECK_FALSE(it.one(true, false));
  CHECK_FALSE(it.one(true, true, 61s));
  for (int i = 0; i < 2; ++i) CHECK_FALSE(it.one(true, false));
}

TEST_CASE("Sessions that are ended soon though all was taken: another client may have our id") {
  Sessions it;
  CHECK_FALSE(it.one(true, true, 20s));
  CHECK_FALSE(it.one(true, true, 20s));
  const auto fault = it.one(true, true, 20s);
  REQUIRE(fault);
  CHECK(fault->problem == LinkProblem::client_id_taken);
  CHECK_THAT(fault->reason, ContainsSubstring("'thing'") && ContainsSubstring("--device"));
  CHECK_FALSE(it.one(true, true, 61s));
  CHECK_FALSE(it.one(true, true, 20s));
}
