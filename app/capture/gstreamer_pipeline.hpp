// GStreamer, known in gstreamer_pipeline.cpp alone. Not through OpenCV: its 4.6 waits for ever for a pipeline
// that gives nothing, keeps the reason of a failure to itself, and lets the threads of a pipeline that fails
// run on in freed memory.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "capture/video_source.hpp"

namespace glimpse {

/// One line that says what is wrong with the pipeline's text; "" where it is right.
[[nodiscard]] std::string pipeline_error(const std::string& pipeline);

/// Starts the pipeline and waits for its first frame; `name` begins its description. Frames are taken from
/// its appsink: BGR, BGRx, BGRA, GRAY8 or GRAY16_LE, which it is asked for. At its end or after an error
/// read() gives `end`, or `failed` with GStreamer's reason. The destructor stops it, which takes as long as
/// its elements' drivers do: LiveSource goes around it.
///
/// Throws Error(no_source) with that reason alone, or where there is no frame after `limit`, which is below
/// LiveSource's own.
[[nodiscard]] std::unique_ptr<VideoSource> play_pipeline(
    const std::string& pipeline, const std::string& name,
    std::chrono::milliseconds limit = std::chrono::milliseconds(10000));

/// GStreamer warns through GLib, which has no setting for that in the environment: not to stderr from now on.
void quiet_glib();

}  // namespace glimpse
