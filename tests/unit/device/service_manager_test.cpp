#include "device/service_manager.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <vector>

#include "captured_log.hpp"
#include "catch.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {

/// What systemd was told.
class Told {
 public:
  ServiceSeams seams(std::optional<Steady::duration> watchdog = {}) {
    return {[this](const std::string& message) {
              const std::lock_guard lock(mutex_);
              messages_.push_back(message);
              changed_.notify_all();
            },
            watchdog, 1ms};
  }
  [[nodiscard]] long count(const std::string& start) {
    const std::lock_guard lock(mutex_);
    return counted(start);
  }
  bool has(const std::string& start, long times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 60s, [&] { return counted(start) >= times; });
  }
  std::vector<std::string> messages() {
    const std::lock_guard lock(mutex_);
    return messages_;
  }

 private:
  long counted(const std::string& start) const {
    return std::count_if(messages_.begin(), messages_.end(),
                         [&](const std::string& message) { return message.starts_with(start); });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> messages_;
};

std::string fine() {
  return "fine";
}

}  // namespace

TEST_CASE(
    "Ready is told once, when it works; until then more time is asked for; then the state; at last the end") {
  Told told;
  std::atomic<bool> works{false};
  std::atomic<int> asked{0};
  {
    ServiceManager manager(told.seams());
    const auto running = manager.start([&] { return ++asked, works.load(); }, fine);
    CHECK(told.has("EXTEND_TIMEOUT_USEC=30000000"));
    CHECK(told.has("STATUS=fine"));
    while (asked < 10) std::this_thread::yield();
    CHECK(told.count("READY=1") == 0);
    works = true;
    CHECK(told.has("READY=1"));
    CHECK(told.has("STATUS=fine", 2));  // at once: not the state of before
    CHECK(told.count("STOPPING=1") == 0);
  }
  CHECK(told.messages().back().starts_with("STOPPING=1\nSTATUS="));
  CHECK(told.count("READY=1") == 1);
  CHECK(told.count("WATCHDOG=1") == 0);
}

TEST_CASE("The watchdog is fed while all move, not while one is stuck, and to the very end") {
  const CapturedLog log;
  Told told;
  const auto pulse = std::make_shared<Pulse>("inference");
  {
    ServiceManager manager(told.seams(40ms));
    manager.watch(pulse);
    {
      const auto running = manager.start([] { return true; }, fine);
      CHECK(told.has("WATCHDOG=1", 3));
      pulse->beat(-1h);
      while (log.count("stuck in one step: inference for 3600 s") == 0) std::this_thread::yield();
      const long fed = told.count("WATCHDOG=1");
      CHECK(told.has("STATUS=fine", told.count("STATUS=fine") + 1));  // 5 s later
      CHECK(told.count("WATCHDOG=1") == fed);
      pulse->rest();
      CHECK(told.has("WATCHDOG=1", fed + 3));
      CHECK(log.count("watchdog: all move again") == 1);
    }
    CHECK(told.has("WATCHDOG=1", told.count("WATCHDOG=1") + 3));
  }
}

TEST_CASE("While one is stuck, no more time is asked for the start") {
  const CapturedLog log;
  Told told;
  const auto pulse = std::make_shared<Pulse>("capture");
  pulse->beat(-1h);
  ServiceManager manager(told.seams());
  manager.watch(pulse);
  const auto running = manager.start([] { return false; }, fine);
  while (log.count("capture for 3600 s") == 0) std::this_thread::yield();
  CHECK(told.has("STATUS=fine", 2));
  CHECK(told.count("EXTEND_TIMEOUT_USEC") == 0);
}

TEST_CASE("A reload is told with its time, and one during the start not at all") {
  Told told;
  std::atomic<bool> works{false};
  ServiceManager manager(told.seams());
  const auto running = manager.start([&] { return works.load(); }, fine);
  manager.reloading();
  manager.reloaded();
  CHECK(told.count("RELOADING=1") == 0);
  CHECK(told.count("READY=1") == 0);
  works = true;
  REQUIRE(told.has("READY=1"));
  const auto before = Steady::now();
  manager.reloading();
  manager.reloaded();
  CHECK(told.count("READY=1") == 2);
  const auto messages = told.messages();
  const auto it = std::find_if(messages.begin(), messages.end(), [](const std::string& message) {
    return message.starts_with("RELOADING=1\n");
  });
  REQUIRE(it != messages.end());
  const auto us = std::stoll(it->substr(it->find("MONOTONIC_USEC=") + 15));
  const auto before_us =
      std::chrono::duration_cast<std::chrono::microseconds>(before.time_since_epoch()).count();
  CHECK(us >= before_us);
  CHECK(us < before_us + 60'000'000);
}

TEST_CASE("Where nobody listens, nobody is asked and nothing is sent") {
  ::unsetenv("NOTIFY_SOCKET");
  ServiceManager manager;
  bool asked = false;
  {
    const auto running = manager.start([&] { return asked = true; }, [&] { return asked = true, "x"; });
    manager.reloading();
    manager.reloaded();
  }
  CHECK_FALSE(asked);
}
