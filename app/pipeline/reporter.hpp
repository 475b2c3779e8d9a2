// Counts what the pipeline does and makes telemetry records of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "capture/video_source.hpp"
#include "core/live_settings.hpp"
#include "core/unix_time.hpp"
#include "device/system_status.hpp"
#include "device/throttle_notice.hpp"
#include "inference/classifier.hpp"
#include "pipeline/change_detector.hpp"
#include "pipeline/hourly_cap.hpp"
#include "pipeline/rolling_window.hpp"
#include "pipeline/time_stamps.hpp"
#include "telemetry/frame_times.hpp"
#include "telemetry/sink.hpp"

namespace glimpse {

/// Totals of one run.
struct RunTotals {
  std::uint64_t seen = 0;        // frames the source gave
  std::uint64_t classified = 0;  // of those, named by the network
  std::uint64_t dropped = 0;     // of those, overwritten by a newer one
  std::uint64_t missed = 0;      // of those dropped, by the source before they came to the pipeline
  std::uint64_t left_out = 0;    // of those, by --adapt
  std::uint64_t skipped = 0;     // pictures that could not be decoded
  std::uint64_t records = 0;
  std::uint64_t events_left_out = 0;  // changes of the top-1 above the cap: without a record of their own
  double seconds = 0;                 // from the first classified frame to the last
};

class Reporter {
 public:
  struct Identity {
    std::string hostname, device, boot;
    ModelIdentity model;  // of the records before the first frame is named
  };
  /// With interval 0 a record for every frame, sent from the thread that calls classified(), and no events;
  /// else tick() sends them, and classified() sends those of events. `sink` null: nobody gets them. What
  /// changes in `live`, which must outlive the reporter, holds from the next classified() on. `wall_clock`
  /// gives Unix milliseconds; `system_meter` reads this machine but in tests.
  Reporter(Identity identity, const SharedSettings& live, Sink* sink,
           std::function<std::optional<DeliveryStatus>()> delivery,
           std::function<std::int64_t()> wall_clock = unix_ms, SystemMeter system_meter = SystemMeter());

  void frame_seen(std::uint64_t missed_before, Steady::time_point now);
  void frame_dropped();
  void frame_left_out();
  void picture_skipped();
  void classified(const Frame& frame, const Classification& result, Steady::time_point now);

  /// To be called often: once a second it looks whether the firmware slows the machine, and logs the changes.
  void look(Steady::time_point now);
  /// As of the last look or record.
  [[nodiscard]] HeatStatus heat() const;
  /// What --adapt has decided, for the records. Nothing: all frames are taken.
  void rate_limited(std::optional<double> fps, const std::string& reason);

  /// Sends the record of the interval that has just passed.
  void tick();
  /// Sends what was classified after the last record, if anything was.
  void finish();

  /// The record as it would be now, for a screen: not sent, and seq does not rise. Rates and percentiles are
  /// those of the last second, however rare the records are; the frame's age is unknown when none was named
  /// for 3 s.
  [[nodiscard]] Record peek();
  [[nodiscard]] RunTotals totals() const;
  [[nodiscard]] FrameTimes frame_times() const;

 private:
  [[nodiscard]] Record current(Steady::time_point now, Steady::duration over = RollingWindow::always);
  [[nodiscard]] Record next_record(Trigger trigger);
  void send(Trigger trigger);
  void adopt(const LiveSettings& settings);
  [[nodiscard]] bool is_event(const std::vector<Prediction>& predictions, Steady::time_point now);

  const Identity identity_;
  const SharedSettings& live_;
  Sink* const sink_;
  const std::function<std::optional<DeliveryStatus>()> delivery_;
  const std::function<std::int64_t()> wall_clock_;

  // The thread that classifies and the one that ticks both send: this keeps the order of seq. Taken before
  // mutex_, and held while the sink works.
  std::mutex sending_;
  mutable std::mutex mutex_;  // guards all below; not held while the sink works
  SystemMeter system_meter_;
  SystemStatus system_;  // as of the last record
  ThrottleNotice throttle_notice_;
  std::optional<Steady::time_point> looked_at_;
  std::optional<double> target_fps_;
  std::string target_reason_;
  RollingWindow captured_, inferred_, preprocessed_;
  RunTotals totals_;
  FrameTimes frame_times_;
  std::uint64_t unreported_ = 0;  // classified since the last record
  std::vector<Prediction> predictions_;
  std::shared_ptr<const ModelIdentity> model_;  // which made them
  std::optional<std::uint64_t> frame_index_;
  std::optional<double> frame_age_ms_;
  std::optional<Steady::time_point> first_, last_;  // classified
  TimeStamps time_stamps_;

  // Of the thread that classifies alone.
  LiveSettings settings_;  // in force
  ChangeDetector changes_;
  HourlyCap cap_;
};

}  // namespace glimpse
