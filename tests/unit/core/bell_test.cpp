#include "core/bell.hpp"

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("A listener hears each ring, one that rang before it came, and none after it has gone") {
  Bell bell;
  int first = 0, second = 0;
  bell.ring();
  bell.ring();
  {
    const Bell::Listener listener(bell, [&] { ++first; });
    CHECK(first == 1);  // that there is something to look at, not how often it was said
    bell.ring();
    CHECK(first == 2);
  }
  {
    const Bell::Listener listener(bell, [&] { ++second; });
    CHECK(second == 0);  // it was heard
  }
  bell.ring();
  CHECK(first == 2);
  const Bell::Listener late(bell, [&] { ++second; });
  CHECK(second == 1);
}
