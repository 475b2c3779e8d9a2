#include "pipeline/reporter.hpp"

#include <algorithm>

namespace glimpse {
namespace {

/// Rates and percentiles are those since the last record, and over a second where records come faster than
/// that.
Steady::duration window_for(std::chrono::milliseconds interval) {
  return std::max(interval, std::chrono::milliseconds(1000));
}

}  // namespace

Reporter::Reporter(Identity identity, std::chrono::milliseconds interval, std::vector<Sink*> sinks,
                   std::function<std::optional<DeliveryStatus>()> delivery)
    : identity_(std::move(identity)),
      interval_(interval),
      sinks_(std::move(sinks)),
      delivery_(std::move(delivery)),
      captured_(window_for(interval)),
      inferred_(window_for(interval)),
      preprocessed_(window_for(interval)) {}

void Reporter::frame_seen(std::uint64_t missed_before, Steady::time_point now) {
  const std::lock_guard lock(mutex_);
  totals_.seen += 1 + missed_before;
  totals_.dropped += missed_before;
  captured_.add(now, 0);
}

void Reporter::frame_dropped() {
  const std::lock_guard lock(mutex_);
  ++totals_.dropped;
}

void Reporter::picture_skipped() {
  const std::lock_guard lock(mutex_);
  ++totals_.skipped;
}

void Reporter::classified(const Frame& frame, const Classification& result, Steady::time_point now) {
  std::unique_lock lock(mutex_);
  if (!first_) first_ = now;
  last_ = now;
  ++totals_.classified;
  ++unreported_;
  inferred_.add(now, result.inference_ms);
  preprocessed_.add(now, result.preprocess_ms);
  predictions_ = result.top;
  frame_index_ = frame.index;
  frame_age_ms_ = std::chrono::duration<double, std::milli>(now - frame.captured_at).count();
  if (interval_.count() == 0) send(lock);
}

void Reporter::tick() {
  std::unique_lock lock(mutex_);
  send(lock);
}

void Reporter::finish() {
  std::unique_lock lock(mutex_);
  if (unreported_ > 0) send(lock);
}

void Reporter::send(std::unique_lock<std::mutex>& lock) {
  ++totals_.records;
  unreported_ = 0;
  system_ = system_meter_.read();
  const Record record = current(Steady::now());
  lock.unlock();
  for (Sink* const sink : sinks_) sink->accept(record);
}

Record Reporter::peek() {
  const std::lock_guard lock(mutex_);
  return current(Steady::now());
}

Record Reporter::current(Steady::time_point now) {
  Record record;
  record.hostname = identity_.hostname;
  record.device = identity_.device;
  record.boot = identity_.boot;
  record.seq = totals_.records;
  record.time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  record.model = identity_.model;
  record.capture_fps = captured_.rate(now);
  record.inference_fps = inferred_.rate(now);
  record.frames_seen = totals_.seen;
  record.frames_dropped = totals_.dropped;
  record.frames_skipped = totals_.skipped;
  record.frame_index = frame_index_;
  record.frame_age_ms = frame_age_ms_;
  if (const auto preprocess = preprocessed_.percentiles(now)) record.preprocess_ms = preprocess->p50;
  record.inference_ms = inferred_.percentiles(now);
  record.predictions = predictions_;
  record.system = system_;
  record.delivery = delivery_();
  return record;
}

RunTotals Reporter::totals() const {
  const std::lock_guard lock(mutex_);
  RunTotals totals = totals_;
  if (first_) totals.seconds = std::chrono::duration<double>(*last_ - *first_).count();
  return totals;
}

}  // namespace glimpse
