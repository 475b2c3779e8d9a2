#include "view/web/event_feed.hpp"

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
    return "retry: 1000\n\n" + event_text("settings", feed_.sources_.settings()) +
           event_text("history", feed_.sources_.history());
  }
  const auto [number, status] = feed_.statuses_.after(seen_status_, deadline, stop);
  if (!status) return "";
  seen_status_ = number;
  // Settings are put before the status of the same moment.
  const auto changed = feed_.settings_.after(seen_settings_, Steady::time_point::min(), stop);
  seen_settings_ = changed.number;
  return changed.value ? *changed.value + *status : *status;
}

void EventFeed::run(const std::stop_token& stop) {
  lower_priority();
  auto due = Steady::now(), sample_due = due;
  std::string settings;
  while (sleep_until(stop, due)) {
    const auto now = Steady::now();
    if (now >= sample_due) {
      sources_.sample();
      sample_due = now + between_samples;
    }
    due = now + between_statuses;
    if (readers_ == 0) {
      statuses_.forget();
      continue;
    }
    std::string newest = sources_.settings();
    if (newest != settings) {
      settings = std::move(newest);
      settings_.put(std::make_shared<const std::string>(event_text("settings", settings)));
    }
    statuses_.put(std::make_shared<const std::string>(event_text("status", sources_.status())));
  }
}

}  // namespace glimpse
