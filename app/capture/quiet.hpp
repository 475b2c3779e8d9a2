// OpenCV, FFmpeg and GStreamer write to stderr on their own: the user sees our one line instead.
#pragma once

namespace glimpse {

/// Silences them for this process and sets what they read from the environment; what the user has set there
/// stays. Only the first call does anything. It calls setenv: the first call belongs before other threads
/// read the environment.
void quiet_libraries();

}  // namespace glimpse
