#include "device/watchdog.hpp"

#include "catch.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

TEST_CASE("Stuck is whose step lasts longer than the limit; the log hears of it once, and of its end") {
  const auto capture = std::make_shared<Pulse>("capture"), inference = std::make_shared<Pulse>("inference");
  Watchdog watchdog(30s);
  watchdog.watch(capture);
  watchdog.watch(inference);
  const auto looks = [&](Steady::duration later) { return watchdog.look(Steady::now() + later); };
  CHECK(looks(1h).all_move);  // both wait: for a camera, for a frame

  inference->beat();
  CHECK(looks(29s).all_move);
  const Watchdog::Verdict stuck = looks(40s);
  CHECK_FALSE(stuck.all_move);
  CHECK(stuck.news == "watchdog: stuck in one step: inference for 40 s; it is not fed until that is over");
  CHECK_FALSE(looks(50s).all_move);
  CHECK(looks(60s).news.empty());

  capture->beat();
  CHECK_THAT(looks(50s).news, ContainsSubstring("capture for 50 s, inference for 50 s"));
  inference->rest();
  CHECK_THAT(looks(50s).news, ContainsSubstring("step: capture for 50 s;"));
  capture->beat();  // the step goes on, with a sign of life
  CHECK(looks(1s).all_move);
  capture->rest();
  CHECK(looks(1h).news.empty());
}

TEST_CASE("The end of being stuck is told, too, and the next time again") {
  const auto pulse = std::make_shared<Pulse>("outbox");
  Watchdog watchdog(1s);
  watchdog.watch(pulse);
  for (int round = 0; round < 2; ++round) {
    pulse->beat();
    CHECK_FALSE(watchdog.look(Steady::now() + 2s).news.empty());
    pulse->rest();
    CHECK(watchdog.look(Steady::now()).news == "watchdog: all move again");
    CHECK(watchdog.look(Steady::now()).news.empty());
  }
}
