// How long an MP4 says its pictures last.
#pragma once

#include <string>

namespace glimpse {

/// Seconds the first video track is shown for, after its edit list (tkhd.duration over mvhd.timescale): a
/// clip cut without re-encoding holds more frames than it shows, and OpenCV tells the former. 0 where it is
/// not an MP4 or not said. Source: ISO/IEC 14496-12, 8.2.2 (mvhd), 8.3.2 (tkhd).
[[nodiscard]] double mp4_shown_seconds(const std::string& path);

}  // namespace glimpse
