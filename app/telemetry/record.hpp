// The telemetry record, schema glimpse/1: the lab's message, grown. docs/telemetry.md describes each field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "device/system_status.hpp"
#include "core/prediction.hpp"

namespace glimpse {

struct ModelIdentity {
  std::string name;     // e.g. demo
  bool quantized = false;
  std::string backend;  // e.g. onednn
  std::string sha256;   // of the model file
};

struct Percentiles {
  double p50 = 0, p90 = 0, p99 = 0;
};

enum class Trigger {
  interval,  // its time had come, or the run ended
  change,    // another top-1 has held
};

struct Record {
  std::string hostname, device, boot;
  std::uint64_t seq = 0;     // from 1 with each boot, rising by 1
  std::int64_t time_ms = 0;  // Unix time
  Trigger trigger = Trigger::interval;
  ModelIdentity model;
  std::optional<double> capture_fps, inference_fps;
  std::uint64_t frames_seen = 0;             // read from the source since the start
  std::uint64_t frames_dropped = 0;          // of those, overwritten by a newer one before inference (live sources)
  std::uint64_t frames_skipped = 0;          // pictures that could not be decoded
  std::optional<std::uint64_t> frame_index;  // in the source, of the frame that `predictions` belongs to
  std::optional<double> frame_age_ms;        // from capture to prediction, of the same frame
  std::optional<double> preprocess_ms;       // median over the last interval, at least 1 s
  std::optional<Percentiles> inference_ms;   // over the last interval, at least 1 s
  std::vector<Prediction> predictions;       // most probable first
  SystemStatus system;
  std::uint64_t outbox_pending = 0, outbox_dropped = 0;
};

/// One line of JSON, no newline, valid UTF-8 whatever the labels hold. Unknown values are null.
[[nodiscard]] std::string to_json(const Record& record);

}  // namespace glimpse
