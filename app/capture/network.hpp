// rtsp://, http:// and https://, through FFmpeg.
#pragma once

#include <memory>
#include <string>

#include "capture/video_source.hpp"

namespace glimpse {

/// A stream is live. What has a length, such as an MP4 on a web server, is a file: every frame, and an end.
/// Throws Error(no_source) after 10 s at most (name look-up aside), Error(bad_data) where no picture can be
/// decoded.
[[nodiscard]] std::unique_ptr<VideoSource> open_network(const std::string& uri, bool loop);

/// The URI as it may be shown: without user name, password and query, which may have a token. What is no
/// address in a network stays as it is.
[[nodiscard]] std::string without_secrets(const std::string& uri);

}  // namespace glimpse
