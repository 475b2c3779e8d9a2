// A V4L2 camera.
#pragma once

#include <memory>
#include <string>

#include "capture/camera_options.hpp"
#include "capture/video_source.hpp"

namespace glimpse {

/// Asks the camera for the size (224x224 without one) and the rate, takes what it gets, and its description
/// says both; flips what comes. Throws Error(no_source), which names the cameras there are, or what mends a
/// refused permission.
[[nodiscard]] std::unique_ptr<VideoSource> open_camera(const std::string& device, const CameraOptions& asked);

/// ", there is /dev/video0, /dev/video2", or that there is none. `folder` is /dev but in tests.
[[nodiscard]] std::string describe_cameras(const std::string& folder = "/dev");

}  // namespace glimpse
