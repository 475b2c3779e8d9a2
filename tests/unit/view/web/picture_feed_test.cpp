#include "view/web/picture_feed.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <set>

#include "catch.hpp"

using namespace glimpse;

namespace {

Steady::time_point late() {
  return Steady::now() + std::chrono::seconds(30);
}

cv::Mat decoded(const std::string& jpeg) {
  return cv::imdecode(cv::Mat(1, static_cast<int>(jpeg.size()), CV_8U, const_cast<char*>(jpeg.data())),
                      cv::IMREAD_COLOR);
}

/// Offers frames in turn as fast as it can, until its end.
class Camera {
 public:
  explicit Camera(FrameTap& tap) {
    for (Frame& frame : frames_) frame.image = cv::Mat(480, 640, CV_8UC3, cv::Scalar(0, 0, 200));
    thread_ = std::jthread([&tap, this](const std::stop_token& stop) {
      for (std::size_t turn = 0; !stop.stop_requested(); ++turn) {
        tap.offer(frames_[turn % frames_.size()]);
        const auto is_held = [](const Frame& frame) {
          return std::atomic_ref(frame.image.u->refcount).load() > 1;
        };
        const auto held = std::count_if(frames_.begin(), frames_.end(), is_held);
        most_held_ = std::max(most_held_.load(), static_cast<int>(held));
        ++offered_;
        std::this_thread::yield();
      }
    });
  }
  /// While this many more frames are offered.
  [[nodiscard]] int most_held_in(int frames) {
    most_held_ = 0;
    const int from = offered_;
    while (offered_ - from < frames) std::this_thread::yield();
    return most_held_;
  }

 private:
  std::array<Frame, 4> frames_;
  std::atomic<int> most_held_{0}, offered_{0};
  std::jthread thread_;
};

}  // namespace

TEST_CASE("A stream's picture is at most 640 pixels long, a snapshot is whole") {
  const cv::Mat wide(720, 1280, CV_8UC3, cv::Scalar(10, 200, 30)), tall(1280, 720, CV_8UC3),
      small(9, 7, CV_8UC3), thread(1, 3000, CV_8UC3);
  CHECK(decoded(stream_picture(wide)).size() == cv::Size(640, 360));
  CHECK(decoded(stream_picture(tall)).size() == cv::Size(360, 640));
  CHECK(decoded(stream_picture(small)).size() == cv::Size(7, 9));
  CHECK(decoded(stream_picture(thread)).size() == cv::Size(640, 1));
  CHECK(decoded(whole_picture(wide)).size() == cv::Size(1280, 720));
  const cv::Vec3b pixel = decoded(stream_picture(wide)).at<cv::Vec3b>(100, 100);
  CHECK(std::abs(pixel[0] - 10) < 8);
  CHECK(std::abs(pixel[1] - 200) < 8);
  CHECK(std::abs(pixel[2] - 30) < 8);
}

TEST_CASE("Nothing is taken while nobody looks, and one frame at most while many do") {
  FrameTap tap;
  PictureFeed feed(tap);
  Camera camera(tap);
  CHECK(camera.most_held_in(300) == 0);
  {
    PictureFeed::Viewer one(feed), other(feed);
    std::set<std::shared_ptr<const std::string>> seen;
    for (int i = 0; i < 3; ++i) {
      const auto part = one.next(late(), {});
      REQUIRE(part);
      seen.insert(part);
      seen.insert(other.next(late(), {}));
      const std::size_t head = part->find("\r\n\r\n");
      CHECK(part->substr(0, head) ==
            "Content-Type: image/jpeg\r\nContent-Length: " +
                std::to_string(part->size() - head - 4 - std::string("\r\n--glimpse-picture\r\n").size()));
      CHECK(part->ends_with("\r\n--glimpse-picture\r\n"));
    }
    CHECK(feed.viewers() == 2);
    CHECK(seen.size() <= feed.encoded());  // the very same bytes for both
    int most = 0;
    for (int i = 0; i < 1000 && most == 0; ++i) {
      REQUIRE(one.next(late(), {}));
      most = camera.most_held_in(300);
    }
    CHECK(most == 1);
  }
  CHECK(feed.viewers() == 0);
  // The one that was asked for while they looked may still come, and be made a picture.
  for (int i = 0; i < 1000 && camera.most_held_in(300) > 0; ++i) std::this_thread::yield();
  const auto encoded = feed.encoded();
  CHECK(camera.most_held_in(3000) == 0);
  CHECK(feed.encoded() == encoded);
}

TEST_CASE("A viewer begins with a picture made since, though the one before left while it was made") {
  FrameTap tap;
  PictureFeed feed(tap);
  Frame large;
  large.image = cv::Mat(8000, 8000, CV_8UC3, cv::Scalar(0, 0, 200));  // takes long
  const auto is_taken = [&] { return std::atomic_ref(large.image.u->refcount).load() > 1; };
  // Until one has left when the picture was begun, and not yet there.
  for (int i = 0; i < 100 && feed.encoded() == 0; ++i) {
    auto viewer = std::make_unique<PictureFeed::Viewer>(feed);
    while (!is_taken()) {
      tap.offer(large);
      std::this_thread::yield();
    }
    for (const auto from = Steady::now(); Steady::now() - from < i * std::chrono::milliseconds(1);)
      std::this_thread::yield();
    viewer.reset();
    while (is_taken()) std::this_thread::yield();
  }
  REQUIRE(feed.encoded() == 1);
  PictureFeed::Viewer next(feed);
  CHECK_FALSE(next.next(Steady::now() + std::chrono::milliseconds(20), {}));
  Frame fresh;
  fresh.image = cv::Mat(10, 10, CV_8UC3);
  std::jthread camera([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) tap.offer(fresh);
  });
  const auto part = next.next(late(), {});
  REQUIRE(part);
  CHECK(part->size() < 2000);
}

TEST_CASE("A viewer who comes while a source is silent gets nothing old") {
  FrameTap tap;
  PictureFeed feed(tap);
  PictureFeed::Viewer stays(feed);
  Frame frame;
  frame.image = cv::Mat(10, 10, CV_8UC3);
  while (feed.encoded() == 0) tap.offer(frame);
  REQUIRE(stays.next(late(), {}));
  PictureFeed::Viewer comes(feed);
  const auto part = comes.next(Steady::now() + std::chrono::milliseconds(20), {});
  CHECK((!part || feed.encoded() > 1));  // on a machine that stands still the last offer may make one more
}

TEST_CASE("Pictures come at most 15 times a second") {
  FrameTap tap;
  PictureFeed feed(tap);
  const Camera camera(tap);
  PictureFeed::Viewer viewer(feed);
  REQUIRE(viewer.next(late(), {}));
  const auto start = Steady::now();
  const auto before = feed.encoded();
  for (int i = 0; i < 8; ++i) REQUIRE(viewer.next(late(), {}));
  const double seconds = std::chrono::duration<double>(Steady::now() - start).count();
  CHECK(static_cast<double>(feed.encoded() - before) <= 15 * seconds + 1);
}

TEST_CASE("A snapshot is one frame for all who wait for it, and none comes without frames") {
  FrameTap tap;
  PictureFeed feed(tap);
  CHECK_FALSE(feed.snapshot(Steady::now() + std::chrono::milliseconds(20), {}));
  const Camera camera(tap);
  const auto picture = feed.snapshot(late(), {});
  REQUIRE(picture);
  CHECK(decoded(*picture).size() == cv::Size(640, 480));
  CHECK(feed.encoded() == 0);  // nothing for a stream
}

TEST_CASE("A picture that cannot be encoded ends nothing") {
  FrameTap tap;
  PictureFeed feed(tap);
  PictureFeed::Viewer viewer(feed);
  Frame broken;
  broken.image = cv::Mat(1, 70000, CV_8UC3);  // JPEG ends at 65535
  Frame good;
  good.image = cv::Mat(10, 10, CV_8UC3);
  std::jthread camera([&](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) tap.offer(i % 2 == 0 ? broken : good);
  });
  CHECK(viewer.next(late(), {}));
  CHECK(feed.snapshot(late(), {}));
}
