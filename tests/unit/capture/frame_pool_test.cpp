#include "capture/frame_pool.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "capture/pixels.hpp"
#include "capture/test_pattern.hpp"
#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

/// Counts what OpenCV allocates for pixels, from before the first thread to after the last.
class CountedAllocations : public cv::MatAllocator {
 public:
  CountedAllocations() { cv::Mat::setDefaultAllocator(this); }
  ~CountedAllocations() override { cv::Mat::setDefaultAllocator(standard_); }
  CountedAllocations(const CountedAllocations&) = delete;
  CountedAllocations& operator=(const CountedAllocations&) = delete;

  cv::UMatData* allocate(int dims, const int* sizes, int type, void* data, std::size_t* step,
                         cv::AccessFlag flags, cv::UMatUsageFlags usage) const override {
    ++count_;
    return standard_->allocate(dims, sizes, type, data, step, flags, usage);  // and frees it, too
  }
  bool allocate(cv::UMatData* data, cv::AccessFlag flags, cv::UMatUsageFlags usage) const override {
    return standard_->allocate(data, flags, usage);
  }
  void deallocate(cv::UMatData* data) const override { standard_->deallocate(data); }

  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  cv::MatAllocator* const standard_ = cv::Mat::getStdAllocator();
  mutable std::atomic<std::size_t> count_{0};
};
const CountedAllocations allocations;

cv::Mat fill(FramePool& pool, int value) {
  cv::Mat& buffer = pool.next();
  buffer.create(48, 64, CV_8UC3);
  buffer.setTo(cv::Scalar::all(value));
  return buffer;
}

bool is_filled_with(const cv::Mat& image, int value) {
  return cv::norm(image, cv::Mat(image.size(), image.type(), cv::Scalar::all(value)), cv::NORM_INF) == 0;
}

struct Reused {
  std::set<const void*> buffers;  // where the pixels of the frames were
  std::size_t allocations = 0;
};

/// Reads frames as the pipeline does, with a few of them on their way at a time.
Reused read_holding_three(VideoSource& source, int frames) {
  Reused reused;
  const std::size_t before = allocations.count();
  std::deque<cv::Mat> held;
  for (int tries = 0; frames > 0 && tries < 2000; ++tries) {
    Frame frame;
    const ReadStatus status = source.read(frame).status;
    REQUIRE((status == ReadStatus::frame || status == ReadStatus::timeout));
    if (status == ReadStatus::timeout) continue;
    REQUIRE(frame.image.type() == CV_8UC3);
    reused.buffers.insert(frame.image.data);
    held.push_back(frame.image);
    if (held.size() > 3) held.pop_front();
    --frames;
  }
  REQUIRE(frames == 0);
  reused.allocations = allocations.count() - before;
  return reused;
}

}  // namespace

TEST_CASE("a buffer is used again when nobody else holds it, and only then") {
  FramePool pool;
  const void* const first = fill(pool, 1).data;
  cv::Mat held = fill(pool, 2);
  CHECK(held.data == first);
  cv::Mat part = held(cv::Rect(0, 0, 2, 2));
  held.release();
  CHECK(fill(pool, 3).data != first);
  CHECK(is_filled_with(part, 2));
  part.release();
  CHECK(fill(pool, 4).data == first);
}

TEST_CASE("when all are held the next is a fresh one, which is not kept") {
  FramePool pool;
  std::vector<cv::Mat> held;
  std::set<const void*> kept;
  for (int i = 0; i < static_cast<int>(FramePool::capacity) + 5; ++i) held.push_back(fill(pool, i));
  for (int i = 0; i < static_cast<int>(held.size()); ++i) CHECK(is_filled_with(held[std::size_t(i)], i));
  for (std::size_t i = 0; i < FramePool::capacity; ++i) kept.insert(held[i].data);
  CHECK(kept.size() == FramePool::capacity);
  held.clear();
  const std::size_t before = allocations.count();
  for (std::size_t i = 0; i < FramePool::capacity; ++i) {
    held.push_back(fill(pool, 0));
    kept.erase(held.back().data);
  }
  CHECK(kept.empty());
  CHECK(allocations.count() == before);
}

TEST_CASE("pictures of another size or type take the place of those before") {
  FramePool pool;
  for (const int side : {4, 400, 4}) {
    cv::Mat& buffer = pool.next();
    buffer.create(side, side, CV_8UC1);
    CHECK(buffer.size() == cv::Size(side, side));
  }
}

TEST_CASE("what another thread still holds stays as it is, however fast frames come") {
  constexpr int frames = 3000;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::pair<cv::Mat, int>> sent;
  std::atomic<int> spoilt{0};
  std::thread reader([&] {
    for (int i = 0; i < frames; ++i) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return !sent.empty(); });
      auto [image, value] = std::move(sent.front());
      sent.pop_front();
      changed.notify_all();
      lock.unlock();
      if (!is_filled_with(image, value)) ++spoilt;
    }
  });
  FramePool pool;
  for (int i = 0; i < frames; ++i) {
    cv::Mat image = fill(pool, i % 256);
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return sent.size() < 4; });
    sent.emplace_back(std::move(image), i % 256);
    changed.notify_all();
  }
  reader.join();
  CHECK(spoilt == 0);
}

TEST_CASE("conversions to BGR are put in the pool, too") {
  for (const int type : {CV_8UC1, CV_8UC4, CV_16UC1, CV_16UC3, CV_16UC4}) {
    FramePool pool;
    const cv::Mat picture(8, 8, type, cv::Scalar::all(CV_MAT_DEPTH(type) == CV_16U ? 100 * 257 : 100));
    const auto next = [&] {
      cv::Mat& buffer = pool.next();
      picture.copyTo(buffer);
      return to_bgr(buffer, pool);
    };
    const cv::Mat held = next();
    const void* const second = next().data;
    const std::size_t before = allocations.count();
    for (int i = 0; i < 5; ++i) CHECK(next().data == second);
    CHECK(allocations.count() == before);
    CHECK(is_filled_with(held, 100));
  }
}

TEST_CASE("a picture that finds all buffers in use is converted all the same") {
  FramePool pool;
  std::vector<cv::Mat> held;
  while (held.size() < FramePool::capacity) held.push_back(fill(pool, 7));
  cv::Mat& buffer = pool.next();
  cv::Mat(8, 8, CV_16UC1, cv::Scalar(100 * 257)).copyTo(buffer);
  CHECK(is_filled_with(to_bgr(buffer, pool), 100));
  for (const cv::Mat& image : held) CHECK(is_filled_with(image, 7));
}

TEST_CASE("a video allocates nothing once it is warm, looped or not, whatever it is coded in") {
  const TempFolder folder;
  for (const auto& [name, code] : {std::pair{"a.mp4", "mp4v"}, {"a.avi", "MJPG"}}) {
    write_video(folder / name, 20, code);
    const auto source = open_uri(folder / name, true);
    CHECK(read_holding_three(*source, 10).buffers.size() == 4);
    const Reused warm = read_holding_three(*source, 70);
    CHECK(warm.buffers.size() == 4);
    CHECK(warm.allocations == 0);
  }
}

TEST_CASE("a looped picture allocates nothing once it is warm") {
  const TempFolder folder;
  cv::imwrite(folder / "a.png", frame_showing(1));
  const auto source = open_uri(folder / "a.png", true);
  CHECK(read_holding_three(*source, 10).buffers.size() == 4);
  CHECK(read_holding_three(*source, 10).allocations == 0);
}

TEST_CASE("a live source allocates no more than its pool has buffers, however long it runs") {
  const std::string camera = "gst:videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=200/1";
  (void)draw_test_pattern(0);  // its background is made once
  for (const std::string& uri :
       {std::string("test"), camera, camera + ",format=GRAY8 ! appsink drop=true max-buffers=1",
        camera + ",format=GRAY16_LE ! appsink drop=true max-buffers=1"}) {
    SourceOptions options;
    options.uri = uri;
    options.camera.fps = 200;
    const auto source = open_source(options);
    const Reused reused = read_holding_three(*source, 80);
    CHECK(reused.buffers.size() <= FramePool::capacity);
    CHECK(reused.allocations <= FramePool::capacity);
  }
}

TEST_CASE("frames that are kept stay as they were, more of them than the pool has buffers") {
  const TempFolder folder;
  write_video(folder / "a.mp4", 30, "mp4v");
  const auto source = open_uri(folder / "a.mp4");
  std::vector<Frame> kept(30);
  for (Frame& frame : kept) REQUIRE(source->read(frame).status == ReadStatus::frame);
  for (int i = 0; i < 30; ++i) CHECK(frame_number(kept[static_cast<std::size_t>(i)].image) == i);
}
