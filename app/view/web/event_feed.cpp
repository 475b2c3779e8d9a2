#include "view/web/event_feed.hpp"

#include <spdlog/spdlog.h>

#include <exception>

#include "view/web/priority.hpp"

namespace glimpse {
namespace {

constexpr auto between_samples = std::chrono::seconds(1);

}  // namespace

std::string event_text(const std::string& name, const std::string& data) {
  return "event: " + name + "\ndata: " + data + "\n\n";
}

EventFeed::EventFeed(EventSources sources) : sources_(std::move(sources)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

EventFeed::~EventFeed() {
  thread_.request_stop();
}

std::string EventFeed::Reader::next(Steady::time_point deadline, const std::stop_token& stop) {
  if (!begun_) {
    begun_ = true;
    seen_settings_ = feed_.settings_.number();
    seen_status_ = feed_.statuses_.number();
    told_settings_ = event_text("settings", feed_.sources_.settings());
    return "retry: 1000\n\n" + told_settings_ + event_text("history", feed_.sources_.history());
  }
  const auto [number, status] = feed_.statuses_.after(seen_status_, deadline, stop);
  if (!status) return "";
  seen_status_ = number;
  // Settings are put before the status of the same moment.
  const auto changed = feed_.settings_.after(seen_settings_, Steady::time_point::min(), stop);
  seen_settings_ = changed.number;
  if (!changed.value || *changed.value == told_settings_) return *status;
  told_settings_ = *changed.value;
  return told_settings_ + *status;
}

void EventFeed::run(const std::stop_token& stop) {
  lower_priority();
  auto due = Steady::now(), sample_due = due;
  std::string fault;
  while (sleep_until(stop, due)) {
    const auto now = Steady::now();
    const bool samples = now >= sample_due;
    if (samples) sample_due = now + between_samples;
    due = now + between_statuses;
    try {
      if (samples) sources_.sample();
      make_events();
      fault.clear();
    } catch (const std::exception& error) {
      if (fault != error.what()) spdlog::error("the page: no events: {}", error.what());
      fault = error.what();
    }
  }
}

void EventFeed::make_events() {
  if (readers_ == 0) return statuses_.forget();
  std::string newest = event_text("settings", sources_.settings());
  if (newest != last_settings_) {
    settings_.put(std::make_shared<const std::string>(newest));
    last_settings_ = std::move(newest);
  }
  statuses_.put(std::make_shared<const std::string>(event_text("status", sources_.status())));
}

}  // namespace glimpse
