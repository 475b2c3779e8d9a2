#include "capture/video_file.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "capture/frame_pool.hpp"
#include "capture/live_capture.hpp"
#include "capture/mp4_duration.hpp"
#include "capture/pixels.hpp"
#include "core/error.hpp"

namespace glimpse {
namespace {

/// Tells a video that ended from one that broke off.
class Progress {
 public:
  Progress(const cv::VideoCapture& capture, double shown_s) : fps_(capture.get(cv::CAP_PROP_FPS)) {
    const double count = capture.get(cv::CAP_PROP_FRAME_COUNT);  // some containers say nonsense, below 0
    if (count > 0 && count < 1e9) declared_ = count;
    if (shown_s > 0 && fps_ > 0) declared_ = std::min(declared_, std::round(shown_s * fps_));
  }

  void count(double at_ms) {
    ++frames_;
    if (at_ms > 0) ++stamped_;  // the last few frames of a decoder come without a time: 0
    if (at_ms > 0) last_ms_ = std::max(last_ms_, at_ms);
  }

  /// Where the container only estimates its count (rate times duration, as Matroska's is here), a varying
  /// frame rate makes it wrong: then the time that was reached tells.
  [[nodiscard]] bool broke_off() const {
    const double allowed = std::max(2.0, 0.02 * declared_), read = static_cast<double>(frames_);
    if (declared_ - read <= allowed) return false;
    if (stamped_ == 0 || !(fps_ > 0)) return true;
    const double frame_ms = last_ms_ / static_cast<double>(stamped_);
    const double reached_ms = last_ms_ + frame_ms * static_cast<double>(frames_ - stamped_);
    return (declared_ - allowed) / fps_ * 1000 > reached_ms;
  }
  [[nodiscard]] std::string summary() const {
    return cv::format("ends after %llu of %.0f frames: the file is truncated or damaged",
                      static_cast<unsigned long long>(frames_), declared_);
  }
  [[nodiscard]] double fps() const { return fps_ > 0 && std::isfinite(fps_) ? fps_ : 0; }
  [[nodiscard]] double declared() const { return declared_; }

 private:
  double fps_, declared_ = 0, last_ms_ = 0;
  std::uint64_t frames_ = 0, stamped_ = 0;
};

class VideoFile : public VideoSource {
 public:
  VideoFile(std::string name, cv::VideoCapture capture, std::function<cv::VideoCapture()> reopen,
            double shown_s, bool loop)
      : name_(std::move(name)),
        capture_(std::move(capture)),
        reopen_(std::move(reopen)),
        shown_s_(shown_s),
        loop_(loop),
        progress_(capture_, shown_s) {
    ahead_ = decode();
    if (ahead_.empty()) throw Error(ExitCode::bad_data, name_ + ": no picture in it can be decoded");
    info_.fps = progress_.fps();
    info_.description = name_ + cv::format(", %dx%d", ahead_.cols, ahead_.rows);
    if (info_.fps > 0) info_.description += cv::format(" at %.4g fps", info_.fps);
    if (progress_.declared() > 0) info_.description += cv::format(", %.0f frames", progress_.declared());
  }

  ReadResult read(Frame& frame) override {
    if (over_) return *over_;
    try {
      if (ahead_.empty()) ahead_ = decode();
      if (ahead_.empty()) {
        if (progress_.broke_off()) return stop({ReadStatus::failed, name_ + ": " + progress_.summary()});
        if (!loop_) return stop({ReadStatus::end, {}});
        rewind();
        if (ahead_.empty()) return stop({ReadStatus::failed, name_ + ": cannot be opened again"});
      }
    } catch (const std::exception&) {
      return stop({ReadStatus::failed, name_ + ": cannot be decoded any further"});
    }
    frame.image = std::exchange(ahead_, {});
    frame.index = next_++;
    frame.captured_at = std::chrono::steady_clock::now();
    return {};
  }
  const SourceInfo& info() const override { return info_; }

 private:
  ReadResult stop(ReadResult result) {
    over_ = std::move(result);
    capture_.release();
    return *over_;
  }

  void rewind() {  // by opening again: seeking is inexact in several formats
    capture_ = reopen_();
    progress_ = Progress(capture_, shown_s_);
    next_ = 0;
    ahead_ = decode();
  }

  cv::Mat decode() {
    // Not capture_.read(): at the end it frees the buffer, and where the decoder fails it calls the picture
    // that was in the buffer before a new one.
    cv::Mat& buffer = pool_.next();
    if (!capture_.isOpened() || !capture_.grab() || !capture_.retrieve(buffer)) return {};
    progress_.count(capture_.get(cv::CAP_PROP_POS_MSEC));
    return to_bgr(buffer, pool_);
  }

  std::string name_;
  cv::VideoCapture capture_;
  std::function<cv::VideoCapture()> reopen_;
  double shown_s_;
  bool loop_;
  Progress progress_;
  FramePool pool_;
  cv::Mat ahead_;  // the first frame of a round: read early, to know that there is one
  std::uint64_t next_ = 0;
  std::optional<ReadResult> over_;
  SourceInfo info_;
};

/// FFmpeg takes what is before a ':' for a protocol; nothing after a leading '/' is one.
cv::VideoCapture open_file(const std::string& path) {
  return try_open(std::filesystem::absolute(path).string(), cv::CAP_FFMPEG);
}

/// FFmpeg plays plain text as a film of a terminal.
bool is_text(const cv::VideoCapture& capture) {
  return static_cast<int>(capture.get(cv::CAP_PROP_FOURCC)) == cv::VideoWriter::fourcc('a', 'n', 's', 'i');
}

}  // namespace

std::unique_ptr<VideoSource> play_video(const std::string& name, cv::VideoCapture capture,
                                        std::function<cv::VideoCapture()> reopen, double shown_s, bool loop) {
  return std::make_unique<VideoFile>(name, std::move(capture), std::move(reopen), shown_s, loop);
}

std::unique_ptr<VideoSource> open_video_file(const std::string& path, bool loop) {
  std::error_code unknown;
  if (std::filesystem::file_size(path, unknown) == 0)
    throw Error(ExitCode::bad_data, path + ": the file is empty");
  cv::VideoCapture capture = open_file(path);
  if (!capture.isOpened() || is_text(capture)) {
    throw Error(ExitCode::bad_data,
                path + ": not a video or a picture that OpenCV can read, or its header is damaged");
  }
  return play_video(
      path, std::move(capture), [path] { return open_file(path); }, mp4_shown_seconds(path), loop);
}

}  // namespace glimpse
