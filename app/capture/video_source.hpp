// Where frames come from. open_source() is the one place that chooses the kind from a URI.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <stop_token>
#include <string>

#include "capture/camera_options.hpp"

namespace glimpse {

struct Frame {
  /// BGR, 8 bit, 3 channels, any size. No source writes to these pixels while any cv::Mat shares them.
  cv::Mat image;

  /// In the source, from 0; a looped file begins again at 0. In a folder it is the place in the sorted list,
  /// skipped ones included. A live source counts every frame the camera delivered, also those that a newer
  /// one replaced before read() came for them: a step of more than 1 is that many less one dropped. It goes
  /// on counting after a reopening.
  std::uint64_t index = 0;
  std::chrono::steady_clock::time_point captured_at;
};

enum class ReadStatus {
  frame,    // `frame` is filled
  skipped,  // one picture could not be decoded (reason says which and why); go on reading
  timeout,  // a live source gave nothing for a while, or (with a reason) went away or came back; go on
            // reading
  stuck,    // as timeout, but the driver holds all that may be open at once: only the end of the process is
            // sure to free it
  end,      // the file or folder is at its end
  failed,   // broken: the reason says how. A live source is worth reopening, a file is not
};

struct ReadResult {
  ReadStatus status = ReadStatus::frame;
  std::string reason;  // for skipped, timeout and failed: one line
};

struct SourceInfo {
  std::string description;  // for people: "/dev/video0, 640x480 at 30 fps (asked for 224x224 at 36)"
  bool live = false;        // newest frame wins; a file or a folder waits instead
  double fps = 0;           // nominal rate, 0 where unknown
};

class VideoSource {
 public:
  virtual ~VideoSource() = default;
  /// Blocks until there is a frame or something else to say: a live source for 250 ms at most (timeout, with
  /// no reason, when there is nothing to say), a file for as long as decoding takes. Throws nothing.
  virtual ReadResult read(Frame& frame) = 0;
  [[nodiscard]] virtual const SourceInfo& info() const = 0;
};

struct SourceOptions {
  std::string uri;       // 0, /dev/video0, csi, clip.mp4, frames/, rtsp://..., http://..., gst:PIPELINE, test
  CameraOptions camera;  // asked of a camera; its fps is the rate of `test`, too
  bool loop = false;     // a file or folder begins again at its end
  std::stop_token stop;  // ends the wait for a camera or a server that does not answer
};

/// A V4L2 or CSI camera: what CameraOptions::size and flip are for.
[[nodiscard]] bool is_camera(const std::string& uri);

/// Throws Error(no_source) where there is no such camera, file or folder (or no picture in it),
/// Error(bad_data) where a file exists and cannot be decoded. A stop while a camera is still being opened
/// gives a source that is at its end.
[[nodiscard]] std::unique_ptr<VideoSource> open_source(const SourceOptions& options);

}  // namespace glimpse
