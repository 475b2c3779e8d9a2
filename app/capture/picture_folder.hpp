// A folder of pictures, sorted by name.
#pragma once

#include <memory>
#include <string>

#include "capture/video_source.hpp"

namespace glimpse {

/// Throws Error(no_source) where the folder cannot be listed or has no picture in it.
[[nodiscard]] std::unique_ptr<VideoSource> open_picture_folder(const std::string& folder, bool loop);

}  // namespace glimpse
