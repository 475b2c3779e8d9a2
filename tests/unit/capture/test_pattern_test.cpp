#include "capture/test_pattern.hpp"

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

TEST_CASE("the test pattern is live and paced, and what it shows follows from the index alone") {
  SourceOptions options;
  options.uri = "test";
  options.camera.fps = 200;
  const auto source = open_source(options);
  CHECK(source->info().live);
  CHECK(source->info().fps == 200);
  const auto start = std::chrono::steady_clock::now();
  Frame frame, last;
  for (int i = 0; i < 21; ++i) {
    REQUIRE(source->read(frame).status == ReadStatus::frame);
    CHECK(frame.image.size() == cv::Size(640, 480));
    CHECK(frame.image.type() == CV_8UC3);
    CHECK(cv::norm(frame.image, draw_test_pattern(frame.index), cv::NORM_INF) == 0);
    if (i > 0) CHECK(frame.index > last.index);
    if (i > 0) CHECK(cv::norm(frame.image, last.image, cv::NORM_INF) > 0);
    last = frame;
  }
  CHECK(std::chrono::steady_clock::now() - start >=
        std::chrono::milliseconds(99));  // 20 periods of 5 ms, but one
}

TEST_CASE("a slow test pattern lets its reader go between frames") {
  const auto source = open_test_pattern(0.5);
  Frame frame;
  CHECK(source->read(frame).status == ReadStatus::frame);
  const ReadResult result = source->read(frame);
  CHECK(result.status == ReadStatus::timeout);
  CHECK(result.reason.empty());
}

TEST_CASE("the test pattern stays within its walls for ever") {
  for (const std::uint64_t index : {0ull, 1000ull, 999'999'937ull, 1ull << 60}) {
    CHECK(draw_test_pattern(index).size() == cv::Size(640, 480));
  }
}

TEST_CASE("a test pattern without a rate is refused") {
  CHECK_THROWS_AS(open_test_pattern(0), Error);
  CHECK_THROWS_AS(open_test_pattern(-1), Error);
}
