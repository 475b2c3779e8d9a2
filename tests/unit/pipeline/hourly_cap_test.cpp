#include "pipeline/hourly_cap.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include "catch.hpp"

using namespace glimpse;
using Answer = HourlyCap::Answer;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

Steady::time_point at(Steady::duration since_start) {
  return Steady::time_point(std::chrono::hours(5) + since_start);
}

}  // namespace

TEST_CASE("So many are granted, then none until the first are an hour old") {
  HourlyCap cap(3);
  for (int i = 0; i < 3; ++i) CHECK(cap.ask(at(seconds(59))) == Answer::granted);
  CHECK(cap.ask(at(minutes(1))) == Answer::refused_anew);
  CHECK(cap.ask(at(hours(1) + seconds(58))) == Answer::refused);
  // An hour after the three, and at most a minute late.
  CHECK(cap.ask(at(hours(1) + seconds(59) + minutes(1))) == Answer::granted);
}

TEST_CASE("That the cap bites is news once, and again after an hour without a refusal") {
  HourlyCap cap(1);
  CHECK(cap.ask(at(minutes(0))) == Answer::granted);
  CHECK(cap.ask(at(minutes(1))) == Answer::refused_anew);
  CHECK(cap.ask(at(minutes(59))) == Answer::refused);
  CHECK(cap.ask(at(minutes(62))) == Answer::granted);
  CHECK(cap.ask(at(minutes(63))) == Answer::refused);  // still biting: 4 minutes after the last refusal
  CHECK(cap.ask(at(minutes(124))) == Answer::granted);
  CHECK(cap.ask(at(minutes(125))) == Answer::refused_anew);
}

TEST_CASE("No hour of a day has more than the limit, and a busy day uses nearly all of it") {
  const auto seed = GENERATE(1u, 2u, 3u);
  std::mt19937 random(seed);
  std::exponential_distribution<double> gap_s(1 / 10.0);  // 360 asked for an hour
  HourlyCap cap(100);
  std::vector<double> granted;
  for (double now = 0; now < 86400; now += gap_s(random)) {
    const auto moment = std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(now));
    if (cap.ask(at(moment)) == Answer::granted) granted.push_back(now);
  }
  for (std::size_t i = 100; i < granted.size(); ++i) CHECK(granted[i] - granted[i - 100] > 3600);
  CHECK(granted.size() >= 24 * 100 * 60 / 61);
}
