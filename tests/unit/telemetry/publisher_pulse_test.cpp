// When a publisher counts as stuck.
#include "publisher_support.hpp"

using namespace glimpse;
using namespace glimpse::test;

namespace {

bool is_stuck(const Publisher& publisher, Steady::duration later) {
  const auto busy = publisher.pulse()->busy_for(Steady::now() + later);
  return busy && *busy > 30s;
}

/// Whether somebody who looks this much later comes to see the publisher so, and goes on seeing it so.
bool becomes(bool stuck, const Publisher& publisher, Steady::duration later) {
  const auto until = Steady::now() + 60s;
  for (auto since = Steady::now(); Steady::now() < until; std::this_thread::yield()) {
    if (is_stuck(publisher, later) != stuck) since = Steady::now();
    if (Steady::now() - since > 20ms) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("Waiting for work or for the next attempt is no step of the publisher") {
  const auto net = std::make_shared<Network>();
  bool breaks = false, pauses = true;
  SECTION("for work") {
    pauses = false;
  }
  SECTION("after an attempt that was refused") {
    net->connects = {refused};
  }
  SECTION("after a session that broke") {
    breaks = true;
  }
  PublisherSeams slow = seams(net);
  slow.pause = [net](std::chrono::milliseconds pause) {
    const std::lock_guard lock(net->mutex);
    net->pauses.push_back(pause);
    net->changed.notify_all();
    return 3'600'000ms;
  };
  Device device(std::move(slow));
  REQUIRE(net->wait([&] { return !net->connects.empty() || !net->published.empty(); }));
  if (breaks) net->break_session();
  REQUIRE(net->wait([&] { return net->pauses.size() == (pauses ? 1 : 0); }));
  CHECK(becomes(false, device.publisher, 1h));
}

TEST_CASE("A publisher that waits for the clock gives signs of life") {
  const auto net = std::make_shared<Network>();
  net->no_clock = true;
  Device device(seams(net));
  REQUIRE(net->wait([&] { return net->attempts == 1; }));
  const auto look = Steady::now() + 1h;
  const auto busy = device.publisher.pulse()->busy_for(look);
  REQUIRE(busy);
  const auto is_younger = [&] { return *device.publisher.pulse()->busy_for(look) < *busy; };
  for (const auto until = Steady::now() + 60s; !is_younger() && Steady::now() < until;)
    std::this_thread::yield();
  CHECK(is_younger());
  CHECK_FALSE(is_stuck(device.publisher, 59s));  // each look lets it have connect()'s 30 s anew
  const std::lock_guard lock(net->mutex);
  net->no_clock = false;
}

TEST_CASE("A publisher that hangs in the link is busy; connecting may take its 30 s") {
  const auto net = std::make_shared<Network>();
  SECTION("while it connects") {
    net->black_hole = true;
  }
  SECTION("while it publishes") {
    net->hang_on = "/status";
  }
  Device device(seams(net));
  REQUIRE(net->wait([&] { return net->attempts == 1 && (net->black_hole || !net->published.empty()); }));
  CHECK(becomes(true, device.publisher, 1h));
  if (net->black_hole) CHECK(becomes(false, device.publisher, 59s));
  {
    const std::lock_guard lock(net->mutex);
    net->black_hole = false;
    net->hang_on.clear();
    net->changed.notify_all();
  }
  CHECK(becomes(false, device.publisher, 1h));
}
