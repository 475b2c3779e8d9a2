// Asks GStreamer what it thinks of a pipeline before OpenCV starts it: OpenCV 4.6 waits for ever for a
// pipeline that lacks an element, and keeps the reason to itself.
#pragma once

#include <string>

namespace glimpse {

/// One line that says what is wrong with the pipeline's text; "" where it is right, or GStreamer is not there
/// to ask.
[[nodiscard]] std::string pipeline_error(const std::string& pipeline);

}  // namespace glimpse
