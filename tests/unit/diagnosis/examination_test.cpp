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
                                Check::warn("b", "50 % \"hot\"\n\xff", "a fan"), Check::ok("c", "°"),
                                Check::fail("d", "gone", "mend", ExitCode::credentials)};
                }),
                {});
  REQUIRE(checks.size() == 4);
  CHECK(shown(checks[0]) == "ok a: elsewhere");
  CHECK(shown(checks[1]) == "warn b: 50 % \"hot\"\n\xef\xbf\xbd | a fan");
  CHECK(shown(checks[2]) == "ok c: °");
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
  CHECK(shown(only(hangs)) ==
        "fail it: no answer within 1 s | look again when the machine has less to do: top");
  CHECK(only(hangs).code == ExitCode::no_source);
  Examination named = hangs;
  named.remedy = "unplug it";
  CHECK(shown(only(named)) == "fail it: no answer within 1 s | unplug it");
}

TEST_CASE("Of a crash is said which, and what may mend it") {
  const auto crash = [](int signal) {
    return only(of([signal]() -> Checks {
      (void)std::raise(signal);
      return {};
    }));
  };
  // The words: signal(7), strsignal(3).
  CHECK(shown(crash(SIGKILL)) ==
        "fail it: looking at it ended in a crash: Killed | where memory has run out, this says so: "
        "journalctl -k");
  CHECK_THAT(shown(crash(SIGILL)),
             ContainsSubstring("crash: Illegal instruction | use libraries that were built for"));
  CHECK_THAT(shown(crash(SIGABRT)), ContainsSubstring("crash: Aborted | report it"));
  CHECK(crash(SIGKILL).code == ExitCode::no_source);
  const Check left = only(of([]() -> Checks { ::_exit(1); }));
  CHECK_THAT(shown(left), ContainsSubstring("fail it: looking at it ended in a crash | report it"));
}

TEST_CASE("What a run can do without is a warning, until the last one in its place has failed") {
  const auto fails = [](const char* name, std::vector<std::string> instead) {
    return Examination{name,
                       60s,
                       [name] { return Checks{Check::fail(name, "no", "mend", ExitCode::bad_data)}; },
                       ExitCode::bad_data,
                       {},
                       "",
                       std::move(instead)};
  };
  const auto states = [](const std::vector<Examination>& all) {
    std::string text;
    carry_out(
        all, {}, [](const std::string&) {}, [&](const Check& check) { text += state(check) + " "; });
    return text;
  };
  const Examination works{"c", 60s, [] { return Checks{Check::ok("c", "fine")}; }};
  CHECK(states({fails("a", {})}) == "fail ");
  CHECK(states({fails("a", {"b", "c"}), fails("b", {"a", "c"}), works}) == "warn warn ok ");
  CHECK(states({works, fails("a", {"b", "c"}), fails("b", {"a", "c"})}) == "ok warn warn ");
  CHECK(states({fails("a", {"b"}), fails("b", {"a"})}) == "warn fail ");
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
                                          "warn port: not looked at | mend first: dns",
                                          "warn login: not looked at | mend first: dns", "ok disk: fine"});
}
