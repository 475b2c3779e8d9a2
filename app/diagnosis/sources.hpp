// Where frames could come from on this machine, and where they shall.
#pragma once

#include <functional>
#include <string>

#include "capture/video_source.hpp"
#include "diagnosis/examination.hpp"
#include "diagnosis/v4l2.hpp"

namespace glimpse {

/// One for each V4L2 camera; what is no camera in one line. `folder` is /dev but in tests.
[[nodiscard]] Checks check_cameras(const std::string& folder, const Ioctl& ioctl);

/// `wanted`: by the source csi; else what is missing is only said. Looks below `root`, "" but in tests.
[[nodiscard]] Check check_libcamera(bool wanted, const std::string& root = "");
/// What GStreamer says is wrong with a pipeline, "" for nothing; pipeline_error() but in tests.
using Parse = std::function<std::string(const std::string& pipeline)>;
[[nodiscard]] Check check_libcamerasrc(bool wanted, const Parse& parse);

/// The one that a run would open. It is opened, and gives one frame, but for cameras and pipelines, which
/// somebody else may be using.
[[nodiscard]] Check check_source(const SourceOptions& source, const Ioctl& ioctl, const Parse& parse);

[[nodiscard]] std::vector<Examination> source_examinations(const SourceOptions& source);

}  // namespace glimpse
