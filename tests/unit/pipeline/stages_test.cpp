// What the three threads do side by side.
#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <vector>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

/// Prepares the index of a frame, and notices when a slot is written that is in the network, or read that is
/// being written.
class WatchedSlots {
 public:
  Recognition recognition() {
    return {[this](const Frame& frame, std::size_t slot) {
              if (busy_[slot].exchange(true)) shared = true;
              contents_[slot] = frame.index;
              busy_[slot] = false;
              return 0.0;
            },
            [this](std::size_t slot, int) {
              if (busy_[slot].exchange(true)) shared = true;
              while_in_the_network();
              named.push_back(contents_[slot]);
              busy_[slot] = false;
              return cat();
            }};
  }
  std::function<void()> while_in_the_network = [] {};
  std::atomic<bool> shared{false};
  std::vector<std::uint64_t> named;  // in the order of the network

 private:
  std::array<std::atomic<bool>, Recognition::slots> busy_{};
  std::array<std::uint64_t, Recognition::slots> contents_{};
};

}  // namespace

TEST_CASE("The next frames are prepared while one is in the network, one for each slot and no more") {
  Counter prepared;
  std::atomic<bool> waited{true};
  std::atomic<std::size_t> held{0}, most_held{0};
  Run run;
  run.play(counting_file(100), {[&](const Frame&, std::size_t) {
                                  most_held = std::max<std::size_t>(most_held, ++held);
                                  prepared.add();
                                  return 0.0;
                                },
                                [&](std::size_t, int) {
                                  if (waited && !prepared.reaches(3)) waited = false;
                                  --held;
                                  return cat();
                                }});
  CHECK(waited);
  CHECK(most_held == Recognition::slots);
  CHECK(run.sink.records.size() == 100);
}

TEST_CASE("What the network names is what was prepared, frame for frame, and no slot is used twice at once") {
  WatchedSlots slots;
  Run run;
  SECTION("of a file: every frame, in order") {
    // Each frame is in the network until the two behind it are prepared, in the other slots.
    constexpr std::uint64_t frames = 500;
    Counter prepared;
    Recognition steps = slots.recognition();
    steps.prepare = [&, watched = steps.prepare](const Frame& frame, std::size_t slot) {
      const double ms = watched(frame, slot);
      prepared.add();
      return ms;
    };
    bool waited = true;
    slots.while_in_the_network = [&] {
      waited = waited && prepared.reaches(std::min(slots.named.size() + Recognition::slots, frames));
    };
    run.play(counting_file(frames), steps);
    CHECK(waited);
    REQUIRE(slots.named.size() == frames);
    for (std::uint64_t i = 0; i < frames; ++i) REQUIRE(slots.named[i] == i);
  }
  SECTION("of a camera: those that were not overwritten, in order, and the newest is the last") {
    run.play(counting_camera(2000), slots.recognition());
    const RunTotals totals = run.reporter.totals();
    CHECK(totals.seen == 2000);
    CHECK(totals.classified + totals.dropped == 2000);
    CHECK(slots.named.back() == 1999);
    for (std::size_t i = 1; i < slots.named.size(); ++i) REQUIRE(slots.named[i - 1] < slots.named[i]);
  }
  CHECK_FALSE(slots.shared);
  REQUIRE(run.sink.records.size() == slots.named.size());
  for (std::size_t i = 0; i < slots.named.size(); ++i) {
    REQUIRE(run.sink.records[i].frame_index == slots.named[i]);
  }
}

TEST_CASE("A camera's newest prepared frame is the one that is named next") {
  // Frame 0 stays in the network until the last frame comes, and that one waits until the next is in the
  // network. The camera waits for each frame to be fetched, so that none is overwritten before it is
  // prepared.
  constexpr std::uint64_t last = 50;
  Counter fetched, in_the_network;
  std::atomic<bool> waited{true};
  const auto wait_for = [&](Counter& counter, std::uint64_t count) {
    if (waited && !counter.reaches(count)) waited = false;  // in vain once is long enough
  };
  WatchedSlots slots;
  const Recognition watched = slots.recognition();
  Run run;
  run.play(std::make_unique<ScriptedSource>(true,
                                            [&, next = std::uint64_t{0}](Frame& frame) mutable -> ReadResult {
                                              wait_for(fetched, next);
                                              if (next == 1) wait_for(in_the_network, 1);
                                              if (next > last) return {ReadStatus::end, ""};
                                              frame.index = next++;
                                              return {};
                                            }),
           {[&](const Frame& frame, std::size_t slot) {
              fetched.add();
              if (frame.index == last) wait_for(in_the_network, 2);
              return watched.prepare(frame, slot);
            },
            [&](std::size_t slot, int k) {
              in_the_network.add();
              wait_for(fetched, last + 1);
              return watched.classify(slot, k);
            }});
  CHECK(waited);
  CHECK(slots.named == std::vector<std::uint64_t>{0, last - 1, last});
  CHECK(run.reporter.totals().seen == last + 1);
  CHECK(run.reporter.totals().dropped == last - 2);
  CHECK_FALSE(slots.shared);
}

TEST_CASE("A frame's pixels are let go of as soon as it is prepared, and its preparing is timed") {
  const cv::Mat pixels(4, 4, CV_8UC3);
  std::atomic<int> held_while_prepared{0}, held_in_the_network{0};
  Run run;
  run.play(std::make_unique<ScriptedSource>(false,
                                            [&, given = false](Frame& frame) mutable -> ReadResult {
                                              if (std::exchange(given, true)) return {ReadStatus::end, ""};
                                              frame.image = pixels;
                                              return {};
                                            }),
           {[&](const Frame&, std::size_t) {
              held_while_prepared = pixels.u->refcount;
              return 0.25;
            },
            [&](std::size_t, int) {
              held_in_the_network = pixels.u->refcount;
              return cat();
            }});
  CHECK(held_while_prepared == 2);
  CHECK(held_in_the_network == 1);
  CHECK(run.sink.records.at(0).preprocess_ms == 0.25);
}

TEST_CASE("Preparing that throws ends the run with its reason, after what was prepared is named") {
  Run run;
  Recognition broken = all_cats();
  broken.prepare = [](const Frame& frame, std::size_t) -> double {
    if (frame.index == 5) throw std::runtime_error("no room");
    return 0;
  };
  run.play(counting_file(UINT64_MAX), broken);
  CHECK(run.end.code == ExitCode::internal);
  CHECK(run.end.reason == "no room");
  CHECK(run.sink.records.size() == 5);
}

TEST_CASE("A pipeline is stopped while a step is at work and all before it is full") {
  Counter prepared, in_the_network, stopping;
  std::uint64_t frames_ahead = 1;
  Recognition steps = all_cats();
  SECTION("preparing takes long") {
    steps.prepare = [&](const Frame&, std::size_t) {
      prepared.add();
      (void)stopping.reaches(1);
      return 0.0;
    };
    in_the_network.add();  // nothing gets there
  }
  SECTION("the network takes long") {
    frames_ahead = Recognition::slots;
    steps.prepare = [&](const Frame&, std::size_t) {
      prepared.add();
      return 0.0;
    };
    steps.classify = [&](std::size_t, int) {
      in_the_network.add();
      (void)stopping.reaches(1);
      return cat();
    };
  }
  Run run;
  std::stop_source stop;
  stop.request_stop();
  {
    Pipeline pipeline(counting_file(UINT64_MAX), steps, run.reporter, run.live, {});
    CHECK(prepared.reaches(frames_ahead));
    CHECK(in_the_network.reaches(1));
    CHECK_FALSE(pipeline.wait_until(Steady::time_point::max(), stop.get_token()));
    CHECK(pipeline.end().code == ExitCode::ok);
    stopping.add();
  }
  SUCCEED("its threads have ended");
}
