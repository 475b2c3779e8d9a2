// The telemetry record, schema glimpse/1: the lab's message, grown. docs/telemetry.md describes each field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/model_identity.hpp"
#include "core/prediction.hpp"
#include "device/system_status.hpp"

namespace glimpse {

struct Percentiles {
  double p50 = 0, p90 = 0, p99 = 0;
};

enum class Trigger {
  interval,  // its time had come, or the run ended
  change,    // another top-1 has held
};

enum class LinkState {
  connecting,
  connected,
  waiting,  // for the next attempt
  closed,
};

/// What became of the records of this run, and what became of those before it where the outbox still has
/// them.
struct DeliveryStatus {
  std::uint64_t pending = 0;       // accepted, not yet acknowledged
  std::uint64_t sent = 0;          // in this run, each counted once
  std::uint64_t acknowledged = 0;  // by the broker (PUBACK), in this run
  std::uint64_t resent = 0;        // sent once more after a session broke, in this run
  std::uint64_t dropped = 0;       // gone unsent because the outbox was full, since it was begun
  LinkState link = LinkState::connecting;
  std::int64_t link_since_ms = 0;  // Unix time
  std::string last_error;          // one line, "" where there was none; stays after the link came back
  std::int64_t last_error_ms = 0;  // Unix time when it began
};

struct Record {
  std::string hostname, device, boot;
  std::uint64_t seq = 0;     // from 1 with each boot, rising by 1
  std::int64_t time_ms = 0;  // Unix time
  Trigger trigger = Trigger::interval;
  ModelIdentity model;
  std::optional<double> capture_fps, inference_fps;
  std::optional<double> target_fps;   // --adapt takes no more than this; empty: every frame is taken
  std::string target_reason;          // in words, "" where every frame is taken
  std::uint64_t frames_seen = 0;      // read from the source since the start
  std::uint64_t frames_dropped = 0;   // of those, overwritten by a newer one before inference (live sources)
  std::uint64_t frames_left_out = 0;  // of those, left out by --adapt
  std::uint64_t frames_skipped = 0;   // pictures that could not be decoded
  std::optional<std::uint64_t> frame_index;  // in the source, of the frame that `predictions` belongs to
  std::optional<double> frame_age_ms;        // from capture to prediction, of the same frame
  std::optional<double> preprocess_ms;       // median over the last interval, at least 1 s
  std::optional<Percentiles> inference_ms;   // over the last interval, at least 1 s
  std::vector<Prediction> predictions;       // most probable first
  SystemStatus system;
  std::optional<DeliveryStatus> delivery;  // where there is a broker
};

[[nodiscard]] const char* word_for(LinkState state);

/// One line of JSON, no newline, valid UTF-8 whatever the labels hold. Unknown values are null.
[[nodiscard]] std::string to_json(const Record& record);

}  // namespace glimpse
