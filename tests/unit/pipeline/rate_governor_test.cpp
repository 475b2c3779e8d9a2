#include "pipeline/rate_governor.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "catch.hpp"

using namespace glimpse;
using Change = RateGovernor::Change;

namespace {

/// Looks once a second at what a test says.
class Watched {
 public:
  Change see(double dropped_share, std::vector<std::string> throttled = {}, double offered = 36) {
    now_ += std::chrono::seconds(1);
    return governor.after({offered, dropped_share, std::move(throttled), temperature_c}, now_);
  }
  /// The seconds until something changes; the change is in `change`.
  int seconds_until_change(double dropped_share, const std::vector<std::string>& throttled = {}) {
    for (int s = 1; s < 100000; ++s) {
      change = see(dropped_share, throttled);
      if (change != Change::none) return s;
    }
    return 0;
  }
  double limit() const { return governor.limit().value_or(0); }

  RateGovernor governor;
  Change change = Change::none;
  std::optional<double> temperature_c;

 private:
  Steady::time_point now_{};
};

const std::vector<std::string> soft_limit{"soft temperature limit"};

}  // namespace

TEST_CASE("While nothing is wrong, every frame is taken") {
  Watched watched;
  for (int s = 0; s < 1000; ++s) REQUIRE(watched.see(s % 50 == 0 ? 0.5 : 0.05) == Change::none);
  CHECK_FALSE(watched.governor.limit());
  CHECK(watched.governor.reason().empty());
}

TEST_CASE("Frames that are dropped for some seconds lower the rate by a quarter at a time") {
  Watched watched;
  CHECK(watched.see(0.2) == Change::none);
  CHECK(watched.see(0.2) == Change::none);
  CHECK(watched.see(0.2) == Change::none);
  CHECK(watched.see(0.18) == Change::lowered);
  CHECK(watched.limit() == Approx(27));
  CHECK(watched.governor.reason() == "18 % of the frames dropped");
  CHECK(watched.seconds_until_change(0.2) == 3);
  CHECK(watched.limit() == Approx(20.25));
}

TEST_CASE("Where most frames are dropped, the rate goes at once to what is left") {
  Watched watched;
  CHECK(watched.seconds_until_change(0.8) == 4);
  CHECK(watched.limit() == Approx(7.2));
  CHECK(watched.seconds_until_change(1) == 3);
  CHECK(watched.limit() == 1);
}

TEST_CASE("The firmware's throttling lowers the rate at once, then waits for the CPU to cool down") {
  for (const std::string word : {"frequency capped", "throttled", "soft temperature limit"}) {
    Watched watched;
    CHECK(watched.see(0, {word}) == Change::lowered);
    CHECK(watched.governor.reason() == word);
    CHECK(watched.limit() == Approx(27));
    CHECK(watched.seconds_until_change(0, {word}) == 60);
    CHECK(watched.limit() == Approx(20.25));
  }
}

TEST_CASE("Throttling that comes and goes every few seconds is one event") {
  Watched watched;
  watched.temperature_c = 80;
  int lowered = 0;
  for (int s = 0; s < 60; ++s) {
    const auto words = s % 4 < 2 ? soft_limit : std::vector<std::string>{};
    lowered += watched.see(0, words) == Change::lowered ? 1 : 0;
  }
  CHECK(lowered == 1);
}

TEST_CASE("While the CPU becomes cooler the rate stays, though it is still throttled") {
  Watched watched;
  watched.temperature_c = 83;
  CHECK(watched.see(0, soft_limit) == Change::lowered);
  for (int minute = 0; minute < 5; ++minute) {
    *watched.temperature_c -= 0.5;
    for (int s = 0; s < 60; ++s) REQUIRE(watched.see(0, soft_limit) == Change::none);
  }
  *watched.temperature_c -= 0.4;
  CHECK(watched.seconds_until_change(0, soft_limit) == 60);
  CHECK(watched.change == Change::lowered);
}

TEST_CASE("There is no step up near the temperature where throttling began, but one try in six hours") {
  Watched watched;
  watched.temperature_c = 80;
  (void)watched.see(0, soft_limit);
  watched.temperature_c = 77.5;
  constexpr int hours = 6 * 3600;
  CHECK(watched.seconds_until_change(0) == Approx(hours).margin(120));
  CHECK(watched.change == Change::raised);
  CHECK(watched.seconds_until_change(0) == Approx(hours).margin(120));
  watched.temperature_c = 76.9;
  CHECK(watched.seconds_until_change(0) <= 120);
}

TEST_CASE("There is no step up while the CPU still becomes warmer by the last one") {
  Watched watched;
  watched.temperature_c = 80;
  (void)watched.see(0, soft_limit);
  watched.temperature_c = 60;
  (void)watched.see(0, soft_limit);
  for (int s = 0; s < 1000; ++s) {
    *watched.temperature_c += 0.01;  // 1.2 K in two minutes
    REQUIRE(watched.see(0) == Change::none);
  }
  CHECK(watched.seconds_until_change(0) <= 240);
}

TEST_CASE("Throttling by low voltage at 40 °C says nothing about heat") {
  Watched watched;
  watched.temperature_c = 40;
  CHECK(watched.see(0, {"under-voltage", "throttled"}) == Change::lowered);
  watched.temperature_c = 45;
  (void)watched.see(0);  // warmer than when it was throttled
  CHECK(watched.seconds_until_change(0) <= 120);
  CHECK(watched.change == Change::raised);
}

TEST_CASE("Under-voltage alone is nothing that fewer frames could mend") {
  Watched watched;
  for (int s = 0; s < 100; ++s) REQUIRE(watched.see(0, {"under-voltage"}) == Change::none);
  CHECK(watched.see(0, {"under-voltage", "throttled"}) == Change::lowered);
  CHECK(watched.governor.reason() == "throttled");
}

TEST_CASE("The rate never goes below 1 fps, and nothing is said at the floor") {
  Watched watched;
  int lowered = 0;
  for (int s = 0; s < 2000; ++s) lowered += watched.see(0, soft_limit) == Change::lowered ? 1 : 0;
  CHECK(watched.limit() == 1);
  CHECK(lowered == 13);  // 36 * 0.75^12 = 1.14, one more reaches the floor
}

TEST_CASE("After calm the rate rises by tenths, then every frame is taken again") {
  Watched watched;
  (void)watched.see(0, soft_limit);
  std::vector<double> limits;
  int seconds = 0;
  while (watched.governor.limit()) {
    seconds += watched.seconds_until_change(0);
    limits.push_back(watched.limit());
  }
  CHECK(watched.change == Change::lifted);
  REQUIRE(limits.size() == 4);
  CHECK(limits[0] == Approx(29.7));
  CHECK(limits[1] == Approx(32.67));
  CHECK(limits[2] == Approx(35.937));
  CHECK(limits[3] == 0);
  CHECK(seconds == 4 * 120);
  CHECK(watched.governor.reason().empty());
}

TEST_CASE("A rate that is neither good nor bad stays") {
  Watched watched;
  (void)watched.see(0, soft_limit);
  for (int s = 0; s < 5000; ++s) REQUIRE(watched.see(0.04) == Change::none);
  CHECK(watched.limit() == Approx(27));
}

TEST_CASE("A step up that did not hold is taken back, and the next try comes later each time") {
  Watched watched;
  (void)watched.see(0, soft_limit);
  std::vector<int> waits;
  for (int i = 0; i < 6; ++i) {
    waits.push_back(watched.seconds_until_change(0));
    CHECK(watched.change == Change::raised);
    CHECK(watched.limit() == Approx(29.7));
    (void)watched.seconds_until_change(0, soft_limit);
    CHECK(watched.change == Change::lowered);
    CHECK(watched.limit() == Approx(27));  // back to what held, not a quarter below
  }
  CHECK(waits == std::vector<int>{120, 240, 480, 960, 1800, 1800});
}

TEST_CASE("A step up that held makes the next one come sooner again") {
  Watched watched;
  (void)watched.see(0, soft_limit);
  for (int i = 0; i < 2; ++i) {
    (void)watched.seconds_until_change(0);
    (void)watched.seconds_until_change(0, soft_limit);
  }
  CHECK(watched.seconds_until_change(0) == 480);
  CHECK(watched.seconds_until_change(0) == 480);
  CHECK(watched.seconds_until_change(0) == 120);
}

TEST_CASE("A slow rate comes up by half a frame a second at least") {
  Watched watched;
  for (int s = 0; s < 2000; ++s) (void)watched.see(1, soft_limit);
  (void)watched.seconds_until_change(0);
  CHECK(watched.limit() == Approx(1.5));
}

TEST_CASE("A camera that is away decides nothing, and its time away is not calm") {
  Watched watched;
  (void)watched.see(0, soft_limit);
  for (int s = 0; s < 1000; ++s) REQUIRE(watched.see(0, {}, 0) == Change::none);
  CHECK(watched.seconds_until_change(0) == 120);
}

TEST_CASE("A camera that slows down in the dark is lowered from what it gives") {
  Watched watched;
  (void)watched.see(0, soft_limit);  // 27 of 36
  CHECK(watched.see(0, {}, 12) == Change::none);
  for (int s = 0; s < 60; ++s) (void)watched.see(0, soft_limit, 12);
  CHECK(watched.limit() == Approx(9));
}

namespace {

/// A machine that gets warm by its work and whose firmware slows it above 80 °C until it is `hysteresis`
/// below that. Temperature follows power with a time constant, 9 K for each watt; 2 W idle, 4 W more at 36
/// fps.
class Machine {
 public:
  Machine(double around_c, double time_constant_s, double hysteresis)
      : ambient_c(around_c),
        seconds_(time_constant_s),
        hysteresis_(hysteresis),
        temperature_c_(around_c + 18) {}

  void run(int seconds) {
    for (int s = 0; s < seconds; ++s) step();
  }
  void step() {
    const double taken = std::min(36.0, governor.limit().value_or(36));
    const double inferred = std::min(taken, slowed_ ? 20.0 : 40.0);
    temperature_c_ += (ambient_c + 9 * (2 + 4 * inferred / 36) - temperature_c_) / seconds_;
    slowed_ = temperature_c_ > (slowed_ ? 80 - hysteresis_ : 80);
    now_ += std::chrono::seconds(1);
    const auto words = slowed_ ? soft_limit : std::vector<std::string>{};
    const Change change = governor.after({36, 1 - inferred / taken, words, temperature_c_}, now_);
    changes += change == Change::none ? 0 : 1;
    slow_seconds += slowed_ ? 1 : 0;
    frames += inferred;
  }

  RateGovernor governor;
  double ambient_c, frames = 0;
  int changes = 0, slow_seconds = 0;

 private:
  const double seconds_, hysteresis_;
  double temperature_c_;
  bool slowed_ = false;
  Steady::time_point now_{};
};

}  // namespace

TEST_CASE("A machine in a hot place settles below its limit, does not swing, and recovers when it is cool") {
  // At 50 °C around it, 80 °C leave 3.33 W: 12 fps can be held.
  for (const double time_constant_s : {20, 60, 120, 400}) {
    for (const double hysteresis : {0, 2, 5}) {
      Machine machine(50, time_constant_s, hysteresis);
      machine.run(3600);  // an hour to settle
      CHECK(machine.slow_seconds < 900);
      machine.changes = machine.slow_seconds = 0;
      machine.frames = 0;
      machine.run(4 * 3600);
      INFO("time constant " << time_constant_s << " s, hysteresis " << hysteresis << " K: " << machine.changes
                            << " changes, " << machine.slow_seconds << " s slowed, "
                            << machine.frames / (4 * 3600) << " fps");
      CHECK(machine.changes <= 4 * 4);
      CHECK(machine.slow_seconds < 4 * 3600 / 20);
      CHECK(machine.frames / (4 * 3600) > 12 * 0.75);

      machine.ambient_c = 10;  // 59 °C at 36 fps
      machine.run(90 * 60);
      CHECK_FALSE(machine.governor.limit());
      machine.changes = 0;
      machine.run(3600);
      CHECK(machine.changes == 0);
    }
  }
}

TEST_CASE("A network that can do 20 of 36 fps is given about 20") {
  Watched watched;
  double frames = 0, dropped = 0;
  std::vector<double> limits;
  for (int s = 0; s < 3600; ++s) {
    const double taken = std::min(36.0, watched.governor.limit().value_or(36));
    const double inferred = std::min(taken, 20.0);
    if (watched.see(1 - inferred / taken) != Change::none) limits.push_back(watched.limit());
    if (s < 60) continue;
    frames += inferred;
    dropped += taken - inferred;
  }
  CHECK(dropped / (frames + dropped) < 0.03);
  CHECK(frames / 3540 > 18);
  CHECK(limits.size() < 30);
}
