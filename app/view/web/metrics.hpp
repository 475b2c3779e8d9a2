// The run's figures for Prometheus, in its text format (prometheus.io/docs/instrumenting/exposition_formats).
#pragma once

#include <cstdint>
#include <string>

#include "telemetry/frame_times.hpp"
#include "telemetry/record.hpp"

namespace glimpse {

struct WebCounts {
  int picture_viewers = 0, event_viewers = 0;
  std::uint64_t pictures_encoded = 0;
};

[[nodiscard]] std::string metrics_text(const Record& record, const FrameTimes& times, const WebCounts& web,
                                       const std::string& version);

}  // namespace glimpse
