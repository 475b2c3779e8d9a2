// The pictures as JPEG: encoded once for all who look, and not at all while nobody does.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <opencv2/core/mat.hpp>
#include <string>
#include <thread>

#include "capture/frame_tap.hpp"
#include "view/web/newest.hpp"

namespace glimpse {

/// For a stream: the longer side scaled down to `stream_side` where it is more. Throws cv::Exception.
[[nodiscard]] std::string stream_picture(const cv::Mat& bgr);
/// As it is, at a higher quality. Throws cv::Exception.
[[nodiscard]] std::string whole_picture(const cv::Mat& bgr);

class PictureFeed {
 public:
  static constexpr int pictures_per_s = 15;  // at most
  static constexpr int stream_side = 640;    // pixels
  static constexpr const char* boundary = "glimpse-picture";

  /// `frames` must outlive it.
  explicit PictureFeed(FrameTap& frames);
  ~PictureFeed();

  /// Somebody looks at the stream while this lives.
  class Viewer {
   public:
    explicit Viewer(PictureFeed& feed) : feed_(feed), seen_(feed.encoded()) { feed_.count_viewer(1); }
    ~Viewer() { feed_.count_viewer(-1); }
    Viewer(const Viewer&) = delete;
    Viewer& operator=(const Viewer&) = delete;
    /// The next picture that this viewer has not had, as a part of multipart/x-mixed-replace: its headers,
    /// the JPEG, and the boundary after it. Nothing at `deadline`, or at a stop.
    [[nodiscard]] std::shared_ptr<const std::string> next(Steady::time_point deadline,
                                                          const std::stop_token& stop);

   private:
    PictureFeed& feed_;
    std::uint64_t seen_;  // from the beginning all there were: a source may have given none for hours
  };
  /// The next frame, whole. Nothing at `deadline`, or at a stop.
  [[nodiscard]] std::shared_ptr<const std::string> snapshot(Steady::time_point deadline,
                                                            const std::stop_token& stop);

  [[nodiscard]] int viewers() const;
  /// For streams, since the start.
  [[nodiscard]] std::uint64_t encoded() const { return pictures_.number(); }

 private:
  void run(const std::stop_token& stop);
  void encode(const Frame& frame);
  void count_viewer(int change);

  FrameTap& frames_;
  Newest<std::string> pictures_, snapshots_;
  mutable std::mutex mutex_;  // guards both below
  std::condition_variable_any changed_;
  int viewers_ = 0, snapshots_wanted_ = 0;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace glimpse
