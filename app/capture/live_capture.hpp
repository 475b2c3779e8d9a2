// What cameras and streams have in common: a cv::VideoCapture without an end.
#pragma once

#include <memory>
#include <opencv2/videoio.hpp>
#include <string>
#include <vector>

#include "capture/camera_options.hpp"
#include "capture/video_source.hpp"

namespace glimpse {

/// A capture that is not open where it fails in any way; never throws.
[[nodiscard]] cv::VideoCapture try_open(const std::string& what, int backend,
                                        const std::vector<int>& settings = {});

/// Of a live source: "NAME, 640x480 at 30 fps"; without the rate where `fps` is 0.
[[nodiscard]] SourceInfo live_info(const std::string& name, cv::Size size, double fps);

/// Reads `capture`, which is open, until it fails. read() blocks as long as the driver does: LiveSource goes
/// around it. Each picture is flipped as asked.
[[nodiscard]] std::unique_ptr<VideoSource> read_live(cv::VideoCapture capture, SourceInfo info,
                                                     Flip flip = Flip::none);

/// The same, described by `name` and the size and rate that `capture` states.
[[nodiscard]] std::unique_ptr<VideoSource> read_live(cv::VideoCapture capture, const std::string& name);

}  // namespace glimpse
