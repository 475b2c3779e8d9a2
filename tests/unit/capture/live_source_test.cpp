#include "capture/live_source.hpp"

#include <atomic>
#include <future>
#include <vector>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;
using std::chrono::milliseconds;

namespace {

/// A camera that does what a test says: read number 0, 1, 2, ... of this camera.
class FakeCamera : public VideoSource {
 public:
  using Behaviour = std::function<ReadResult(Frame&, int)>;
  explicit FakeCamera(Behaviour behaviour, std::atomic<int>* closed = nullptr)
      : behaviour_(std::move(behaviour)), closed_(closed) {
    info_.description = "fake";
  }
  ~FakeCamera() override {
    if (closed_ != nullptr) ++*closed_;
  }
  ReadResult read(Frame& frame) override { return behaviour_(frame, reads_++); }
  const SourceInfo& info() const override { return info_; }

 private:
  Behaviour behaviour_;
  std::atomic<int>* closed_;
  int reads_ = 0;
  SourceInfo info_;
};

ReadResult give(Frame& frame, int width = 4) {
  frame.image = cv::Mat(4, width, CV_8UC3, cv::Scalar::all(7));
  frame.captured_at = std::chrono::steady_clock::now();
  return {};
}

/// A driver that hangs until the test lets go of it.
struct Gate {
  std::promise<void> open;
  std::shared_future<void> opened = open.get_future().share();
};

LiveLimits quick() {
  LiveLimits limits;
  limits.poll = milliseconds(20);
  limits.freeze = limits.open = std::chrono::minutes(1);  // a busy machine is no frozen camera
  limits.leave = std::chrono::seconds(20);                // the cameras refer to the test's own variables
  limits.backoff_base = milliseconds(4);
  limits.backoff_cap = milliseconds(16);
  limits.random01 = [] { return 0.5; };
  return limits;
}

/// The same for a test in which something does freeze.
LiveLimits impatient() {
  LiveLimits limits = quick();
  limits.freeze = limits.open = milliseconds(300);
  return limits;
}

/// Reads until `frames` frames came; what was said in between goes to `told`.
void read_frames(VideoSource& source, int frames, std::vector<std::string>& told, Frame& frame) {
  for (int tries = 0; frames > 0 && tries < 2000; ++tries) {
    const ReadResult result = source.read(frame);
    REQUIRE((result.status == ReadStatus::frame || result.status == ReadStatus::timeout));
    if (result.status == ReadStatus::frame) --frames;
    if (!result.reason.empty()) told.push_back(result.reason);
  }
  REQUIRE(frames == 0);
}

template <typename Condition>
bool reads_until(VideoSource& source, Condition condition) {
  Frame frame;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);  // however fast frames come
  while (std::chrono::steady_clock::now() < until && !condition()) (void)source.read(frame);
  return condition();
}

}  // namespace

TEST_CASE("the newest frame wins, and the gap in the index counts what it replaced") {
  Gate gate;
  std::promise<void> five_are_in;
  LiveSource source("camera X", std::make_unique<FakeCamera>([&](Frame& frame, int n) {
                      if (n == 5) five_are_in.set_value();
                      if (n >= 5) gate.opened.wait();
                      return n < 7 ? give(frame, n + 1) : ReadResult{ReadStatus::timeout, {}};
                    }),
                    nullptr, quick());
  five_are_in.get_future().wait();
  Frame frame;
  REQUIRE(source.read(frame).status == ReadStatus::frame);
  CHECK(frame.index == 4);
  CHECK(frame.image.cols == 5);
  gate.open.set_value();
  std::vector<std::string> told;
  read_frames(source, 1, told, frame);
  CHECK(frame.index >= 5);
  CHECK(frame.image.cols == static_cast<int>(frame.index) + 1);
}

TEST_CASE("a camera that goes away is reopened, each change is told once, and the index goes on") {
  std::atomic<int> opened{0};
  const auto reopen = [&]() -> std::unique_ptr<VideoSource> {
    if (++opened < 4) throw Error(ExitCode::no_source, "not there");
    return std::make_unique<FakeCamera>([](Frame& frame, int) { return give(frame); });
  };
  Gate taken;
  LiveSource source("camera X", std::make_unique<FakeCamera>([&](Frame& frame, int n) {
                      if (n == 0) return give(frame);
                      taken.opened.wait();
                      return ReadResult{ReadStatus::failed, "unplugged"};
                    }),
                    reopen, quick());
  std::vector<std::string> told;
  Frame frame;
  read_frames(source, 1, told, frame);
  CHECK(frame.index == 0);
  CHECK(told.empty());
  taken.open.set_value();
  read_frames(source, 1, told, frame);
  CHECK(frame.index >= 1);
  REQUIRE(told.size() == 3);
  CHECK(told[0] == "camera X: unplugged; reopening in 0.002 s");
  CHECK(told[1] == "camera X: not there; reopening in 0.004 s");  // three times so, told once
  CHECK_THAT(told[2], ContainsSubstring("camera X is back after "));
  CHECK(opened == 4);
}

TEST_CASE("a camera that freezes inside the driver is set aside, and closed when the driver lets go") {
  Gate driver;
  std::atomic<int> closed{0};
  LiveSource source(
      "camera X",
      std::make_unique<FakeCamera>(
          [&](Frame& frame, int n) {
            if (n == 1) driver.opened.wait();
            return give(frame, n == 0 ? 4 : 99);
          },
          &closed),
      [] { return std::make_unique<FakeCamera>([](Frame& frame, int) { return give(frame); }); },
      impatient());
  std::vector<std::string> told;
  Frame frame;
  read_frames(source, 3, told, frame);
  REQUIRE(told.size() >= 2);  // more where the machine was too busy for the next camera, too
  CHECK(told[0] == "camera X gave nothing for 0.3 s; reopening in 0.002 s");
  CHECK_THAT(told[1], ContainsSubstring("camera X is back"));
  CHECK(closed == 0);
  driver.open.set_value();
  bool stale = false;
  CHECK(reads_until(source, [&] {
    if (source.read(frame).status == ReadStatus::frame) stale = stale || frame.image.cols == 99;
    return closed == 1;
  }));
  CHECK_FALSE(stale);  // the frame it was stuck on is old
}

TEST_CASE("at most three readers are stuck at a time") {
  Gate driver;
  std::atomic<int> opened{1}, closed{0}, in_driver{0};  // of more than three some were too late to get stuck
  const auto stuck = [&](Frame& frame, int) {
    ++in_driver;
    driver.opened.wait();
    return give(frame);
  };
  LiveSource source(
      "camera X", std::make_unique<FakeCamera>(stuck, &closed),
      [&] {
        ++opened;
        return std::make_unique<FakeCamera>(stuck, &closed);
      },
      impatient());
  REQUIRE(reads_until(source, [&] { return in_driver == 3; }));
  const int tried = opened;
  int reads = 0;
  CHECK(reads_until(source, [&] { return ++reads > 30; }));  // twice as long as it takes to freeze
  CHECK(opened == tried);
  Frame none;
  CHECK(source.read(none).status == ReadStatus::stuck);
  driver.open.set_value();
  CHECK(
      reads_until(source, [&] { return opened > tried && closed >= tried; }));  // back, joined, and a new one
}

TEST_CASE("read() comes back in time and the destructor does not wait, while the driver hangs") {
  Gate driver;
  std::atomic<int> closed{0};
  LiveLimits limits = quick();
  limits.leave = milliseconds(30);
  std::promise<void> in_driver;
  auto source = std::make_unique<LiveSource>("camera X",
                                             std::make_unique<FakeCamera>(
                                                 [&in_driver, opened = driver.opened](Frame& frame, int) {
                                                   in_driver.set_value();
                                                   opened.wait();
                                                   return give(frame);
                                                 },
                                                 &closed),
                                             nullptr, limits);
  in_driver.get_future().wait();
  const auto start = std::chrono::steady_clock::now();
  Frame frame;
  const ReadResult result = source->read(frame);
  CHECK(result.status == ReadStatus::timeout);
  CHECK(result.reason.empty());
  source.reset();
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
  CHECK(closed == 0);
  driver.open.set_value();
  while (closed == 0)
    std::this_thread::yield();  // the reader that was left behind closes its camera by itself
}

TEST_CASE("a camera that throws or delivers garbage is reopened and named") {
  for (const auto& [behaviour, why] : std::vector<std::pair<FakeCamera::Behaviour, std::string>>{
           {[](Frame&, int) -> ReadResult { throw std::runtime_error("bus error"); }, "bus error"},
           {[](Frame&, int) -> ReadResult { throw 7; }, "unknown error"},
           {[](Frame&, int) { return ReadResult{}; }, "pictures without pixels"},
           {[](Frame&frame, int) {
              frame.image = cv::Mat(3, 3, CV_32FC1);
              return ReadResult{};
            },
            "an unknown format"},
           {[](Frame&, int) {
              return ReadResult{ReadStatus::end, {}};
            },
            "the stream has ended"}}) {
    LiveSource source(
        "camera X", std::make_unique<FakeCamera>(behaviour),
        [] {
          return std::make_unique<FakeCamera>([](Frame& frame, int n) { return give(frame, 1 + n % 5); });
        },
        quick());
    std::vector<std::string> told;
    Frame frame;
    read_frames(source, 3, told, frame);  // whose sizes change from frame to frame: that is allowed
    REQUIRE_FALSE(told.empty());
    CHECK_THAT(told.front(), ContainsSubstring(why));
  }
}

TEST_CASE("a factory that gives nothing, or hangs, is tried again") {
  Gate driver;
  std::atomic<int> opened{0};
  LiveSource source(
      "camera X", std::make_unique<FakeCamera>([](Frame&, int) {
        return ReadResult{ReadStatus::failed, "gone"};
      }),
      [&]() -> std::unique_ptr<VideoSource> {
        const int n = ++opened;
        if (n == 1) return nullptr;
        if (n == 2) driver.opened.wait();
        return std::make_unique<FakeCamera>([](Frame& frame, int) { return give(frame); });
      },
      impatient());
  std::vector<std::string> told;
  Frame frame;
  read_frames(source, 1, told, frame);
  REQUIRE(told.size() == 4);
  CHECK_THAT(told[2], ContainsSubstring("camera X could not be opened within 0.3 s"));
  driver.open.set_value();
}

TEST_CASE("opening ends with a stop or with its limit, and hands over what it found") {
  Gate driver;
  const SourceFactory hangs = [opened = driver.opened] {
    opened.wait();
    return std::make_unique<FakeCamera>([](Frame& frame, int) { return give(frame); });
  };
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  CHECK(open_unless_stopped(hangs, stop.get_token()) == nullptr);
  stopper.join();
  CHECK_THROWS_WITH(open_unless_stopped(hangs, {}, milliseconds(20)),
                    "nothing came within 0.02 s of opening");
  driver.open.set_value();
  CHECK(open_unless_stopped(hangs, {}) != nullptr);
  CHECK_THROWS_WITH(open_unless_stopped(
                        []() -> std::unique_ptr<VideoSource> { throw Error(ExitCode::no_source, "no"); }, {}),
                    "no");
}
