// A video with a beginning and an end: every frame, in order.
#pragma once

#include <functional>
#include <memory>
#include <opencv2/videoio.hpp>
#include <string>

#include "capture/video_source.hpp"

namespace glimpse {

/// Throws Error(bad_data) where nothing can be decoded.
[[nodiscard]] std::unique_ptr<VideoSource> open_video_file(const std::string& path, bool loop);

/// The same for a video that is open already, wherever it comes from: `capture` stands before its first
/// frame, `reopen` goes back there, `shown_s` is how long the container says the pictures last (0: not said
/// but by its frame count).
[[nodiscard]] std::unique_ptr<VideoSource> play_video(const std::string& name, cv::VideoCapture capture,
                                                      std::function<cv::VideoCapture()> reopen,
                                                      double shown_s, bool loop);

}  // namespace glimpse
