#include "device/service_manager.hpp"

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace glimpse {
namespace {

using namespace std::chrono_literals;

constexpr auto between_states = 5s;
// How much more time is asked for at each look during the start, and how old the last such wish may be.
constexpr auto extension = 30s, between_extensions = 10s;
constexpr auto limit_without_watchdog = 30s;  // of a step; it only decides on more time for the start

std::string microseconds(Steady::duration time) {
  return std::to_string(std::chrono::ceil<std::chrono::microseconds>(time).count());
}

}  // namespace

ServiceSeams systemd_seams() {
  ServiceSeams seams;
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return seams;
  seams.notify = [](const std::string& state) { (void)sd_notify(0, state.c_str()); };
  std::uint64_t us = 0;
  if (sd_watchdog_enabled(0, &us) > 0) seams.watchdog = std::chrono::microseconds(us);
  return seams;
}

ServiceManager::ServiceManager(ServiceSeams seams)
    : seams_(std::move(seams)), watchdog_(seams_.watchdog ? *seams_.watchdog / 2 : limit_without_watchdog) {}

ServiceManager::~ServiceManager() = default;

ServiceManager::Running ServiceManager::start(std::function<bool()> works,
                                              std::function<std::string()> status) {
  if (seams_.notify) {
    works_ = std::move(works);
    status_ = std::move(status);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  return Running(*this);
}

void ServiceManager::reloading() {
  if (!seams_.notify || !ready_) return;  // that a reload is over must not say that the start is
  seams_.notify("RELOADING=1\nMONOTONIC_USEC=" + microseconds(Steady::now().time_since_epoch()));
}

void ServiceManager::reloaded() {
  if (seams_.notify && ready_) seams_.notify("READY=1");
}

void ServiceManager::stopping() {
  if (!seams_.notify || stopping_.exchange(true)) return;
  {
    const std::lock_guard lock(mutex_);
    works_ = nullptr;
    status_ = nullptr;
  }
  seams_.notify("STOPPING=1\nSTATUS=sending what waits, then ending");
}

void ServiceManager::tell_status() {
  const std::lock_guard lock(mutex_);
  if (status_) seams_.notify("STATUS=" + status_());
}

void ServiceManager::run(const std::stop_token& stop) {
  const auto feeding = seams_.watchdog ? *seams_.watchdog / 4 : Steady::duration::max();
  auto feed_at = Steady::now(), state_at = feed_at, extend_at = feed_at;
  for (auto now = feed_at;; now = Steady::now()) {
    if (!ready_ && !stopping_) {
      const std::lock_guard lock(mutex_);
      if (works_ && works_()) {
        ready_ = true;
        state_at = now;
        seams_.notify("READY=1");
      }
    }
    if (now >= state_at) {
      tell_status();
      state_at = now + between_states;
    }
    const bool asks = !ready_ && !stopping_ && now >= extend_at;
    const bool feeds = seams_.watchdog && now >= feed_at;
    if (asks || feeds) {
      const Watchdog::Verdict verdict = watchdog_.look(now);
      if (!verdict.news.empty()) spdlog::warn("{}", verdict.news);
      if (asks && verdict.all_move) seams_.notify("EXTEND_TIMEOUT_USEC=" + microseconds(extension));
      if (asks) extend_at = now + between_extensions;
      if (feeds && verdict.all_move) seams_.notify("WATCHDOG=1");
      if (feeds) feed_at = now + feeding;
    }
    auto next = state_at;
    if (seams_.watchdog) next = std::min(next, feed_at);
    if (!ready_ && !stopping_) next = std::min(next, now + seams_.look);
    if (!sleep_until(stop, next)) return;
  }
}

}  // namespace glimpse
