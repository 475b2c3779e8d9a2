// What the pipeline's tests share: sources and steps that do what a test says, and a run that keeps its
// records.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "catch.hpp"
#include "pipeline/pipeline.hpp"

namespace glimpse::test {

/// What happens in one thread and is waited for in another.
class Counter {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  /// False where it has not come so far within half a minute.
  [[nodiscard]] bool reaches(std::uint64_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t count_ = 0;
};

class ScriptedSource : public VideoSource {
 public:
  ScriptedSource(bool live, std::function<ReadResult(Frame&)> read) : read_(std::move(read)) {
    info_.live = live;
  }
  ReadResult read(Frame& frame) override { return read_(frame); }
  const SourceInfo& info() const override { return info_; }

 private:
  std::function<ReadResult(Frame&)> read_;
  SourceInfo info_;
};

inline std::unique_ptr<VideoSource> counting_source(bool live, std::uint64_t frames, ReadResult then) {
  return std::make_unique<ScriptedSource>(live,
                                          [=, next = std::uint64_t{0}](Frame& frame) mutable -> ReadResult {
                                            if (next == frames) return then;
                                            frame.index = next++;
                                            frame.captured_at = Steady::now();
                                            return {};
                                          });
}

inline std::unique_ptr<VideoSource> counting_file(std::uint64_t frames,
                                                  ReadResult then = {ReadStatus::end, ""}) {
  return counting_source(false, frames, then);
}

inline std::unique_ptr<VideoSource> counting_camera(std::uint64_t frames) {
  return counting_source(true, frames, {ReadStatus::end, ""});
}

inline Classification cat() {
  return {{{0, "cat", 1.0}}, 0, 1.0};
}

/// Steps for tests that look at neither.
inline Recognition all_cats() {
  return {[](const Frame&, std::size_t) { return 0.1; }, [](std::size_t, int) { return cat(); }};
}

struct Keep : Sink {
  std::vector<Record> records;
  void accept(const Record& record) override { records.push_back(record); }
};

/// A record for each frame, and how it ended.
struct Run {
  Keep sink;
  SharedSettings live{{std::chrono::milliseconds(0)}};
  Reporter reporter{{}, live, &sink, [] { return std::nullopt; }};
  PipelineEnd end;

  void play(std::unique_ptr<VideoSource> source, const Recognition& recognition,
            PipelineOptions options = {}) {
    Pipeline pipeline(std::move(source), recognition, reporter, live, options);
    REQUIRE(pipeline.wait_until(Steady::now() + std::chrono::seconds(60), {}));
    end = pipeline.end();
  }
};

}  // namespace glimpse::test
