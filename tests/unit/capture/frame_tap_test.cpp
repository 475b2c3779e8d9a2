#include "capture/frame_tap.hpp"

#include <atomic>
#include <thread>

#include "catch.hpp"

using namespace glimpse;

namespace {

Frame frame(std::uint64_t index) {
  Frame made;
  made.image = cv::Mat(2, 3, CV_8UC3);
  made.index = index;
  return made;
}

}  // namespace

TEST_CASE("Without somebody who asks, a tap holds no frame, but knows its size") {
  FrameTap tap;
  CHECK_FALSE(tap.size());
  const Frame offered = frame(1);
  tap.offer(offered);
  CHECK(offered.image.u->refcount == 1);
  REQUIRE(tap.size());
  CHECK(tap.size()->width == 3);
  CHECK(tap.size()->height == 2);
  CHECK_FALSE(tap.next(Steady::now(), {}));
}

TEST_CASE("Who asks has the next frame, its pixels shared, and no second one") {
  FrameTap tap;
  std::optional<Frame> taken;
  std::jthread asker([&] { taken = tap.next(Steady::now() + std::chrono::seconds(30), {}); });
  const Frame first = frame(1), second = frame(2);
  while (std::atomic_ref(first.image.u->refcount).load() == 1) tap.offer(first);
  tap.offer(second);
  asker.join();
  REQUIRE(taken);
  CHECK(taken->index == 1);
  CHECK(taken->image.data == first.image.data);
  CHECK(second.image.u->refcount == 1);
}

TEST_CASE("A stop ends the wait for a frame") {
  FrameTap tap;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  CHECK_FALSE(tap.next(Steady::now() + std::chrono::seconds(30), stop.get_token()));
}
