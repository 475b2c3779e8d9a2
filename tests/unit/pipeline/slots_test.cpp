#include "pipeline/slots.hpp"

#include <array>
#include <atomic>
#include <set>
#include <thread>

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("Each slot has one owner, and the last that came back is the next to go") {
  Slots slots(3);
  auto a = slots.take({}), b = slots.take({});
  const auto c = slots.take({});
  CHECK(std::set<std::size_t>{a->number(), b->number(), c->number()} == std::set<std::size_t>{0, 1, 2});
  const std::size_t first = a->number(), second = b->number();
  a.reset();
  b.reset();
  const auto d = slots.take({});
  CHECK(d->number() == second);
  CHECK(slots.take({})->number() == first);
}

TEST_CASE("A slot that is handed on comes back once, from its last owner") {
  Slots slots(2);
  auto a = slots.take({});
  const std::size_t number = a->number();
  {
    const Slots::Slot owner = std::move(*a);
    a.reset();
    CHECK(owner.number() == number);
    CHECK(slots.take({})->number() != number);
  }
  const auto b = slots.take({}), c = slots.take({});
  CHECK(b->number() != c->number());
}

TEST_CASE("Whoever finds no free slot waits until one comes back") {
  Slots slots(2);
  std::array<std::atomic<int>, 2> owners{};
  std::atomic<bool> shared{false};
  const auto use = [&] {
    for (int i = 0; i < 2000; ++i) {
      const auto slot = slots.take({});
      if (++owners[slot->number()] != 1) shared = true;
      --owners[slot->number()];
    }
  };
  { const std::jthread one(use), two(use), three(use); }
  CHECK_FALSE(shared);
}

TEST_CASE("A stop ends the wait for a slot") {
  Slots slots(1);
  const auto taken = slots.take({});
  std::stop_source stop;
  const std::jthread stopper([&] { stop.request_stop(); });
  CHECK_FALSE(slots.take(stop.get_token()).has_value());
}
