#include "diagnosis/examination.hpp"

#include <unistd.h>

#include <csignal>
#include <thread>

#include "catch.hpp"
#include "core/waiting.hpp"
#include "shown.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {

Examination of(std::function<Checks()> look, std::chrono::milliseconds limit = 60s) {
  return {"it", limit, std::move(look), ExitCode::no_source};
}

Check only(const Examination& examination) {
  const Checks checks = carry_out(examination, {});
  REQUIRE(checks.size() == 1);
  return checks.front();
}

}  // namespace

TEST_CASE("What an examination finds comes back whole, from another process") {
  const pid_t here = ::getpid();
  const Checks checks =
      carry_out(of([here] {
                  return Checks{Check::ok("a", here == ::getpid() ? "here" : "elsewhere"),
                                Check::warn("b", "50 % \"hot\"\n\xff", "a fan"), Check::skip("c", "°"),
                                Check::fail("d", "gone", "mend", ExitCode::credentials)};
                }),
                {});
  REQUIRE(checks.size() == 4);
  CHECK(shown(checks[0]) == "ok a: elsewhere");
  CHECK(shown(checks[1]) == "warn b: 50 % \"hot\"\n\xef\xbf\xbd | a fan");
  CHECK(shown(checks[2]) == "skip c: °");
  CHECK(shown(checks[3]) == "fail d: gone | mend");
  CHECK(checks[3].code == ExitCode::credentials);
}

TEST_CASE("An examination that throws has failed, with the error's code") {
  const Check error = only(of([]() -> Checks { throw Error(ExitCode::bad_data, "broken; copy it again"); }));
  CHECK(shown(error) == "fail it: broken | copy it again");
  CHECK(error.code == ExitCode::bad_data);
  const Check other = only(of([]() -> Checks { throw std::runtime_error("what"); }));
  CHECK(shown(other) == "fail it: what");
  CHECK(other.code == ExitCode::internal);
}

TEST_CASE("An examination that hangs or crashes is a finding, and not the end") {
  const auto hangs = of(
      []() -> Checks {
        for (;;) ::pause();
      },
      50ms);
  CHECK(shown(only(hangs)) == "fail it: no answer within 1 s");
  CHECK(only(hangs).code == ExitCode::no_source);
  const Check crash = only(of([]() -> Checks {
    (void)std::raise(SIGKILL);
    return {};
  }));
  CHECK_THAT(shown(crash), ContainsSubstring("fail it: the process that looked at it has died"));
  CHECK(crash.code == ExitCode::no_source);
}

TEST_CASE("A stop ends an examination at once") {
  std::stop_source stop;
  const std::jthread later([&stop] {
    (void)sleep_for({}, 20ms);
    stop.request_stop();
  });
  const auto hangs = of([]() -> Checks {
    for (;;) ::pause();
  });
  const auto start = Steady::now();
  try {
    (void)carry_out(hangs, stop.get_token());
    FAIL("it went on");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::interrupted);
  }
  CHECK(Steady::now() - start < 30s);  // and not the minute that it may take
}

TEST_CASE("What needs a failed examination is skipped, and so is what needs that") {
  const auto ok = [](const char* name) { return [name] { return Checks{Check::ok(name, "fine")}; }; };
  const std::vector<Examination> all{
      {"dns", 60s, [] { return Checks{Check::fail("dns", "no", "", ExitCode::unavailable)}; }},
      {"files", 60s, ok("files")},
      {"port", 60s, ok("port"), ExitCode::internal, {"files", "dns"}},
      {"login", 60s, ok("login"), ExitCode::internal, {"port"}},
      {"disk", 60s, ok("disk"), ExitCode::internal, {"files"}}};
  std::vector<std::string> begun, found;
  carry_out(
      all, {}, [&](const std::string& name) { begun.push_back(name); },
      [&](const Check& check) { found.push_back(shown(check)); });
  CHECK(begun == std::vector<std::string>{"dns", "files", "disk"});
  CHECK(found == std::vector<std::string>{"fail dns: no", "ok files: fine",
                                          "skip port: not looked at: see dns",
                                          "skip login: not looked at: see dns", "ok disk: fine"});
}
