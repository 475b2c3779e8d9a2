// One picture file.
#pragma once

#include <memory>
#include <string>

#include "capture/video_source.hpp"

namespace glimpse {

struct Picture {
  cv::Mat image;  // 8-bit BGR, turned upright by its EXIF orientation; empty where it could not be decoded
  std::string reason;  // then: why, without the file's name
};

/// Never throws: whatever is wrong with the file is in `reason`.
[[nodiscard]] Picture load_picture(const std::string& path);

/// Whether the file's first bytes are those of a picture format.
[[nodiscard]] bool is_picture(const std::string& path);

/// A picture as a source of one frame, or of the same frame again and again. Throws Error(bad_data).
[[nodiscard]] std::unique_ptr<VideoSource> open_picture(const std::string& path, bool loop);

}  // namespace glimpse
