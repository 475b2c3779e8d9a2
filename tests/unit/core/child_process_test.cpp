#include "core/child_process.hpp"

#include <unistd.h>

#include <csignal>

#include "catch.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

TEST_CASE("A child answers each time it is asked, in a process of its own") {
  ChildProcess child(
      [number = 0](const ChildProcess::Parent& parent) mutable {
        while (parent.wait_for_go())
          parent.tell(std::to_string(++number) + " " + std::to_string(::getppid()));
      },
      {});
  CHECK(child.ask() == "1 " + std::to_string(::getpid()));
  CHECK(child.ask(60s) == "2 " + std::to_string(::getpid()));
}

TEST_CASE("A line of any length comes whole") {
  const std::string line(300'000, 'x');
  ChildProcess child(
      [&](const ChildProcess::Parent& parent) {
        if (parent.wait_for_go()) parent.tell(line);
      },
      {});
  CHECK(child.ask() == line);
}

TEST_CASE("A child that hangs is given up after its time, and gone with its object") {
  ChildProcess child(
      [](const ChildProcess::Parent&) {
        for (;;) ::pause();
      },
      {});
  CHECK_FALSE(child.ask(50ms));
}

TEST_CASE("A child that crashes gives nothing") {
  ChildProcess child(
      [](const ChildProcess::Parent& parent) {
        if (parent.wait_for_go()) (void)std::raise(SIGKILL);
      },
      {});
  CHECK_FALSE(child.ask());
}

TEST_CASE("A stop ends the wait for a child") {
  std::stop_source stop;
  ChildProcess child(
      [](const ChildProcess::Parent&) {
        for (;;) ::pause();
      },
      stop.get_token());
  stop.request_stop();
  CHECK_FALSE(child.ask());
}
