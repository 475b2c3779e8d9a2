#include "pipeline/reporter.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace glimpse {
namespace {

constexpr auto look_every = std::chrono::seconds(1);  // what the kernel notices it forgets after 2 s
constexpr auto screen_window = std::chrono::seconds(1);
constexpr auto stale_after = std::chrono::seconds(3);

/// Rates and percentiles are those of the last interval, and of a second where that is shorter.
Steady::duration window_for(std::chrono::milliseconds interval) {
  return std::max(interval, std::chrono::milliseconds(1000));
}

}  // namespace

Reporter::Reporter(Identity identity, const SharedSettings& live, Sink* sink,
                   std::function<std::optional<DeliveryStatus>()> delivery,
                   std::function<std::int64_t()> wall_clock, SystemMeter system_meter)
    : identity_(std::move(identity)),
      live_(live),
      sink_(sink),
      delivery_(std::move(delivery)),
      wall_clock_(std::move(wall_clock)),
      system_meter_(std::move(system_meter)),
      captured_(window_for(live.get().interval)),
      inferred_(window_for(live.get().interval)),
      preprocessed_(window_for(live.get().interval)),
      settings_(live.get()),
      changes_(settings_.events.hold, settings_.events.confidence),
      cap_(settings_.events.per_hour) {}

void Reporter::frame_seen(std::uint64_t missed_before, Steady::time_point now) {
  const std::lock_guard lock(mutex_);
  totals_.seen += 1 + missed_before;
  totals_.dropped += missed_before;
  totals_.missed += missed_before;
  captured_.add(now, 0);
}

void Reporter::frame_dropped() {
  const std::lock_guard lock(mutex_);
  ++totals_.dropped;
}

void Reporter::frame_left_out() {
  const std::lock_guard lock(mutex_);
  ++totals_.left_out;
}

void Reporter::picture_skipped() {
  const std::lock_guard lock(mutex_);
  ++totals_.skipped;
}

void Reporter::adopt(const LiveSettings& settings) {
  changes_.set_rule(settings.events.hold, settings.events.confidence);
  cap_.set_limit(settings.events.per_hour);
  settings_ = settings;
  const std::lock_guard lock(mutex_);
  for (RollingWindow* const window : {&captured_, &inferred_, &preprocessed_})
    window->set_span(window_for(settings.interval));
}

void Reporter::classified(const Frame& frame, const Classification& result, Steady::time_point now) {
  if (const LiveSettings settings = live_.get(); settings != settings_) adopt(settings);
  {
    const std::lock_guard lock(mutex_);
    if (!first_) first_ = now;
    last_ = now;
    ++totals_.classified;
    ++unreported_;
    inferred_.add(now, result.inference_ms);
    preprocessed_.add(now, result.preprocess_ms);
    predictions_ = result.top;
    if (result.model) model_ = result.model;
    frame_index_ = frame.index;
    frame_age_ms_ = std::chrono::duration<double, std::milli>(now - frame.captured_at).count();
    frame_times_.inference.add(result.inference_ms / 1000);
    frame_times_.preprocess.add(result.preprocess_ms / 1000);
    frame_times_.age.add(*frame_age_ms_ / 1000);
    frame_times_.last_at = now;
  }
  if (settings_.interval.count() == 0) {
    send(Trigger::interval);
  } else if (is_event(result.top, now)) {
    send(Trigger::change);
  }
}

bool Reporter::is_event(const std::vector<Prediction>& predictions, Steady::time_point now) {
  if (settings_.events.per_hour == 0 || !changes_.changes_at(predictions, now)) return false;
  const HourlyCap::Answer answer = cap_.ask(now);
  if (answer == HourlyCap::Answer::granted) return true;
  if (answer == HourlyCap::Answer::refused_anew) {
    spdlog::warn(
        "more than {} changes of the top-1 within an hour (--events-per-hour): those above have no record of "
        "their own",
        settings_.events.per_hour);
  }
  const std::lock_guard lock(mutex_);
  ++totals_.events_left_out;
  return false;
}

void Reporter::look(Steady::time_point now) {
  std::optional<ThrottleNotice::Line> line;
  {
    const std::lock_guard lock(mutex_);
    if (looked_at_ && now - *looked_at_ < look_every) return;
    looked_at_ = now;
    system_.heat = system_meter_.read_heat();
    line = throttle_notice_.after(system_.heat, now);
  }
  if (line) spdlog::log(line->is_warning ? spdlog::level::warn : spdlog::level::info, "{}", line->text);
}

HeatStatus Reporter::heat() const {
  const std::lock_guard lock(mutex_);
  return system_.heat;
}

void Reporter::rate_limited(std::optional<double> fps, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  target_fps_ = fps;
  target_reason_ = reason;
}

void Reporter::tick() {
  send(Trigger::interval);
}

void Reporter::finish() {
  {
    const std::lock_guard lock(mutex_);
    if (unreported_ == 0) return;
  }
  send(Trigger::interval);
}

void Reporter::send(Trigger trigger) {
  const std::lock_guard in_order(sending_);
  const Record record = next_record(trigger);
  if (sink_ != nullptr) sink_->accept(record);
}

Record Reporter::next_record(Trigger trigger) {
  const std::lock_guard lock(mutex_);
  ++totals_.records;
  unreported_ = 0;
  system_ = system_meter_.read();
  Record record = current(Steady::now());
  record.time_ms = time_stamps_.next(record.time_ms);
  record.trigger = trigger;
  return record;
}

Record Reporter::peek() {
  const std::lock_guard lock(mutex_);
  const auto now = Steady::now();
  Record record = current(now, screen_window);
  if (last_ && now - *last_ > stale_after) record.frame_age_ms.reset();
  return record;
}

Record Reporter::current(Steady::time_point now, Steady::duration over) {
  Record record;
  record.hostname = identity_.hostname;
  record.device = identity_.device;
  record.boot = identity_.boot;
  record.seq = totals_.records;
  record.time_ms = wall_clock_();
  record.model = model_ ? *model_ : identity_.model;
  record.capture_fps = captured_.rate(now, over);
  record.inference_fps = inferred_.rate(now, over);
  record.target_fps = target_fps_;
  record.target_reason = target_reason_;
  record.frames_seen = totals_.seen;
  record.frames_dropped = totals_.dropped;
  record.frames_left_out = totals_.left_out;
  record.frames_skipped = totals_.skipped;
  record.frame_index = frame_index_;
  record.frame_age_ms = frame_age_ms_;
  if (const auto preprocess = preprocessed_.percentiles(now, over)) record.preprocess_ms = preprocess->p50;
  record.inference_ms = inferred_.percentiles(now, over);
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

FrameTimes Reporter::frame_times() const {
  const std::lock_guard lock(mutex_);
  return frame_times_;
}

}  // namespace glimpse
