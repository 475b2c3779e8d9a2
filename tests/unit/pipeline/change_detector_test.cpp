#include "pipeline/change_detector.hpp"

#include <limits>

#include "catch.hpp"

using namespace glimpse;

namespace {

/// Frames at given times, with the documented defaults: 300 ms, 0.5.
struct Scene {
  ChangeDetector detector{std::chrono::milliseconds(300), 0.5};

  bool shows(int index, double probability, int at_ms) {
    const Prediction second{99, "second", 0.01};
    return detector.changes_at({{index, "", probability}, second},
                               Steady::time_point(std::chrono::milliseconds(at_ms)));
  }
};

}  // namespace

TEST_CASE("The first thing that holds is a change, at the first frame at or after the hold, and once") {
  Scene scene;
  CHECK_FALSE(scene.shows(7, 0.9, 1000));
  CHECK_FALSE(scene.shows(7, 0.9, 1100));
  CHECK_FALSE(scene.shows(7, 0.9, 1299));
  CHECK(scene.shows(7, 0.9, 1300));
  CHECK_FALSE(scene.shows(7, 0.9, 1400));
  CHECK_FALSE(scene.shows(7, 0.9, 9000));
}

TEST_CASE("Another thing is a change, and the first one again is the next") {
  Scene scene;
  (void)scene.shows(7, 0.9, 0);
  REQUIRE(scene.shows(7, 0.9, 300));
  CHECK_FALSE(scene.shows(2, 0.9, 400));
  CHECK(scene.shows(2, 0.9, 750));  // no frame fell on 700
  CHECK_FALSE(scene.shows(7, 0.9, 800));
  CHECK(scene.shows(7, 0.9, 1100));
}

TEST_CASE("A flicker is no change, and what comes after it must hold anew") {
  Scene scene;
  (void)scene.shows(7, 0.9, 0);
  REQUIRE(scene.shows(7, 0.9, 300));
  CHECK_FALSE(scene.shows(2, 0.9, 400));
  CHECK_FALSE(scene.shows(7, 0.9, 500));  // back: nothing has happened
  CHECK_FALSE(scene.shows(2, 0.9, 600));
  CHECK_FALSE(scene.shows(3, 0.9, 800));  // a third thing between
  CHECK_FALSE(scene.shows(2, 0.9, 900));
  CHECK_FALSE(scene.shows(2, 0.9, 1199));
  CHECK(scene.shows(2, 0.9, 1200));
}

TEST_CASE("A top-1 below the confidence neither begins a change nor ends what is there") {
  Scene scene;
  CHECK_FALSE(scene.shows(7, 0.49, 0));
  CHECK_FALSE(scene.shows(7, 0.49, 1000));
  CHECK_FALSE(scene.shows(7, 0.5, 2000));  // the bound itself counts
  CHECK(scene.shows(7, 0.5, 2300));
  CHECK_FALSE(scene.shows(3, 0.49, 3000));
  CHECK_FALSE(scene.shows(3, 0.49, 4000));
  CHECK_FALSE(scene.shows(7, 0.9, 5000));  // still the same thing
  CHECK_FALSE(scene.shows(7, 0.9, 6000));
}

TEST_CASE("A doubtful frame interrupts a hold") {
  Scene scene;
  CHECK_FALSE(scene.shows(7, 0.9, 0));
  CHECK_FALSE(scene.shows(7, 0.4, 200));
  CHECK_FALSE(scene.shows(7, 0.9, 300));
  CHECK_FALSE(scene.shows(7, 0.9, 599));
  CHECK(scene.shows(7, 0.9, 600));
}

TEST_CASE("No predictions and one that is not a number show nothing") {
  Scene scene;
  CHECK_FALSE(scene.detector.changes_at({}, Steady::time_point()));
  CHECK_FALSE(scene.shows(7, std::numeric_limits<double>::quiet_NaN(), 100));
  CHECK_FALSE(scene.shows(7, std::numeric_limits<double>::quiet_NaN(), 900));
}

TEST_CASE("Without a hold one frame is enough") {
  Scene scene{ChangeDetector(Steady::duration(0), 0.5)};
  CHECK(scene.shows(7, 0.9, 0));
  CHECK_FALSE(scene.shows(7, 0.9, 0));
  CHECK(scene.shows(2, 0.9, 0));
}

TEST_CASE("With another model the same index may be another thing") {
  ChangeDetector detector(std::chrono::milliseconds(0), 0.5);
  const auto shows = [&](int index, const std::string& label) {
    return detector.changes_at({{index, label, 0.9}}, Steady::time_point(std::chrono::milliseconds(1)));
  };
  CHECK(shows(7, "umbrella"));
  CHECK_FALSE(shows(7, "umbrella"));
  CHECK(shows(7, "goldfish"));
  CHECK_FALSE(shows(7, "goldfish"));
}
