// GStreamer pipelines, and the CSI cameras of a Raspberry Pi through one.
#pragma once

#include <memory>
#include <string>

#include "capture/camera_options.hpp"
#include "capture/video_source.hpp"

namespace glimpse {

/// The pipeline with an appsink at its end that keeps the newest frame only, where it has none of its own.
[[nodiscard]] std::string with_appsink(const std::string& pipeline);

/// libcamera's element; a test puts another source in its place.
constexpr const char* csi_element = "libcamerasrc";

/// The pipeline behind the URI `csi`: NV12, 640x480 where no size is asked for, flipped, the newest frame
/// only.
[[nodiscard]] std::string csi_pipeline(const CameraOptions& asked, const std::string& element = csi_element);

/// Throws Error(no_source) where the pipeline does not start, with GStreamer's reason.
[[nodiscard]] std::unique_ptr<VideoSource> open_gstreamer(const std::string& pipeline);

/// Throws Error(no_source), which names the apt package where libcamera's GStreamer plugin is missing.
[[nodiscard]] std::unique_ptr<VideoSource> open_csi(const CameraOptions& asked,
                                                    const std::string& element = csi_element);

}  // namespace glimpse
