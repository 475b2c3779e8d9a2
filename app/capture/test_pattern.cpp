#include "capture/test_pattern.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "capture/frame_pool.hpp"
#include "core/error.hpp"

namespace glimpse {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int width = 640, height = 480;
constexpr Clock::duration longest_wait = std::chrono::milliseconds(200);

/// Drawn once: a frame begins as a copy of it, which costs a tenth of drawing it.
const cv::Mat& background() {
  static const cv::Mat gradient = [] {
    cv::Mat image(height, width, CV_8UC3);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        image.at<cv::Vec3b>(y, x) = {static_cast<uchar>(60 + 150 * x / width),
                                     static_cast<uchar>(90 + 100 * y / height),
                                     static_cast<uchar>(200 - 120 * x / width)};
      }
    }
    return image;
  }();
  return gradient;
}

/// Where something is after `way` pixels between two walls, `room` pixels apart.
int bounce(std::uint64_t way, int room) {
  const int at = static_cast<int>(way % static_cast<std::uint64_t>(2 * room));
  return at < room ? at : 2 * room - at;
}

class TestPattern : public VideoSource {
 public:
  explicit TestPattern(double fps) : period_s_(1 / fps), start_(Clock::now()) {
    info_.live = true;
    info_.fps = fps;
    info_.description = cv::format("test pattern, %dx%d at %g fps", width, height, fps);
  }

  ReadResult read(Frame& frame) override {
    const auto now = Clock::now();
    const auto newest =
        static_cast<std::uint64_t>(std::chrono::duration<double>(now - start_).count() / period_s_);
    next_ = std::max(next_, newest);
    const auto due = start_ + std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double>(period_s_ * static_cast<double>(next_)));
    if (due - now > longest_wait) {
      std::this_thread::sleep_until(now + longest_wait);
      return {ReadStatus::timeout, {}};
    }
    std::this_thread::sleep_until(due);
    frame.captured_at = Clock::now();
    frame.index = next_++;
    cv::Mat& image = pool_.next();
    draw_test_pattern(frame.index, image);
    frame.image = image;
    return {};
  }
  const SourceInfo& info() const override { return info_; }

 private:
  double period_s_;
  Clock::time_point start_;
  std::uint64_t next_ = 0;
  FramePool pool_;
  SourceInfo info_;
};

}  // namespace

void draw_test_pattern(std::uint64_t index, cv::Mat& image) {
  background().copyTo(image);
  const cv::Point ball(bounce(7 * index, width - 120) + 60, bounce(5 * index, height - 120) + 60);
  const cv::Point box(bounce(4 * index + 300, width - 100), bounce(3 * index + 100, height - 80));
  cv::rectangle(image, cv::Rect(box.x, box.y, 100, 80), {200, 60, 40}, cv::FILLED);
  cv::circle(image, ball, 60, {40, 210, 250}, cv::FILLED);
  cv::putText(image, std::to_string(index), {12, height - 14}, cv::FONT_HERSHEY_SIMPLEX, 0.8, {255, 255, 255},
              2);
}

cv::Mat draw_test_pattern(std::uint64_t index) {
  cv::Mat image;
  draw_test_pattern(index, image);
  return image;
}

std::unique_ptr<VideoSource> open_test_pattern(double fps) {
  if (!(fps > 0) || !std::isfinite(fps))
    throw Error(ExitCode::usage, "the test pattern needs a rate above 0 fps");
  return std::make_unique<TestPattern>(fps);
}

}  // namespace glimpse
