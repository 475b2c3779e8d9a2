#include "core/waiting.hpp"

#include <thread>

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("A wait is over at its time") {
  CHECK(sleep_for(std::stop_token{}, std::chrono::milliseconds(1)));
}

TEST_CASE("A stop ends a wait that would last an hour") {
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  CHECK_FALSE(sleep_for(stop.get_token(), std::chrono::hours(1)));
}
