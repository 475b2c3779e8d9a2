#include "diagnosis/storage.hpp"

#include <fstream>
#include <thread>

#include "catch.hpp"
#include "core/child_process.hpp"
#include "shown.hpp"
#include "slow_disk.hpp"
#include "telemetry/outbox/database.hpp"
#include "telemetry/outbox/inspection.hpp"
#include "temp_folder.hpp"

using namespace glimpse;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

OutboxPlace place(const TempFolder& folder) {
  return {folder.path(), folder.path() / "outbox-pi-1.db", 64'000'000};
}

void fill(const std::string& file, int records, const std::string& payload = "{}") {
  Database database(file, 64'000'000, false);
  database.verify();
  Database::Change change;
  for (int id = 1; id <= records; ++id)
    change.insert.push_back({id, Database::first_trusted_ms + id, payload});
  change.dropped = 7;
  database.commit(change);
}

}  // namespace

TEST_CASE("The state folder: there, to be made, impossible") {
  const TempFolder folder;
  CHECK(shown(check_state_folder(folder.path())) == "ok state folder: " + folder.path().string());
  const std::string below = folder.path() / "a/b";
  CHECK(shown(check_state_folder(below)) == "ok state folder: " + below + ", which the first run will make");
  CHECK_FALSE(fs::exists(folder.path() / "a"));
  const std::string file = folder.write("file", "");
  const Check blocked = check_state_folder(file + "/state");
  CHECK(shown(blocked) == "fail state folder: " + file + " is no folder | name another one with --state");
  CHECK(blocked.code == ExitCode::configuration);
  CHECK(state(check_state_folder("")) == "fail");
  const std::string link = folder.path() / "link";
  fs::create_symlink(folder.path() / "gone", link);  // a run cannot make its folder there
  CHECK(shown(check_state_folder(link)) ==
        "fail state folder: " + link + " is no folder | name another one with --state");
  CHECK(state(check_state_folder(link + "/below")) == "fail");
  fs::create_directory(folder.path() / "gone");
  CHECK(state(check_state_folder(link)) == "ok");
}

TEST_CASE("The disk has room for the outbox, for some of it, or for nothing") {
  const auto disk = [](std::uint64_t free, std::uint64_t used) {
    return shown(judge_disk(free, used, 64'000'000, "/s"));
  };
  CHECK(disk(64'000'000, 0) == "ok disk: 64 MB free for /s");
  CHECK(disk(24'000'000, 40'000'000) == "ok disk: 24 MB free for /s");
  CHECK(disk(20'000'000, 40'000'000) ==
        "warn disk: 20 MB free for /s, and the outbox may want 24 MB more | make room, or set outbox.max_mb "
        "to 30");
  CHECK(disk(999'999, 0) ==
        "warn disk: 0 MB free for /s: records stay in memory | make room: sudo apt clean; df -h");
}

TEST_CASE("An outbox that is not there is not made by looking at it") {
  const TempFolder folder;
  CHECK_THAT(shown(check_outbox(place(folder), {})), ContainsSubstring("ok outbox: nothing waits"));
  CHECK(fs::is_empty(folder.path()));
  folder.write("outbox-pi-1.db", "");
  CHECK_THAT(shown(check_outbox(place(folder), {})), ContainsSubstring("ok outbox: nothing waits"));
}

TEST_CASE("An outbox tells what waits and what was dropped, and is as it was") {
  const TempFolder folder;
  fill(place(folder).file, 3);
  CHECK(shown(check_outbox(place(folder), {})) ==
        "ok outbox: 3 records wait, 7 dropped so far, 0 MB of 64 MB, undamaged");
  Database again(place(folder).file, 64'000'000, false);
  again.verify();
  CHECK(again.rows() == 3);
}

TEST_CASE("What a run that was killed has left is counted, and left as it is") {
  const TempFolder folder;
  const std::string file = place(folder).file;
  {
    ChildProcess run(
        [&file](const ChildProcess::Parent& parent) {
          if (!parent.wait_for_go()) return;
          Database database(file, 64'000'000, false);
          database.verify();
          Database::Change change;
          change.insert.push_back({1, Database::first_trusted_ms, "{}"});
          database.commit(change);
          parent.tell("committed");
          (void)parent.wait_for_go();
        },
        {});
    REQUIRE(run.ask() == "committed");
  }  // SIGKILL
  const auto content = [&file] {
    std::string all;
    for (const char* const suffix : {"", "-wal"}) {
      std::ifstream in(file + suffix, std::ios::binary);
      REQUIRE(in);
      all.append(std::istreambuf_iterator<char>(in), {});
    }
    return all;
  };
  const std::string before = content();
  CHECK_THAT(shown(check_outbox(place(folder), {})), ContainsSubstring("ok outbox: 1 record waits"));
  CHECK(content() == before);
}

TEST_CASE("An outbox on a slow disk is let go in time, and that it is damaged is not claimed") {
  constexpr int pages = 5000;  // of a record each: 5 s and more to read them all
  const TempFolder folder;
  fill(place(folder).file, pages, std::string(3000, ' '));
  const SlowDisk disk;
  const OutboxReport report = inspect_outbox(place(folder).file, 50ms);
  CHECK_FALSE(report.pending);
  CHECK_FALSE(report.verified);
  CHECK(SlowDisk::reads() > 0);
  CHECK(SlowDisk::reads() < pages / 2);
}

TEST_CASE("One that can be counted in time, but not be read whole") {
  const TempFolder folder;
  fill(place(folder).file, 5, std::string(4'000'000, ' '));  // what counts them leaves most pages out
  const SlowDisk disk;
  const OutboxReport report = inspect_outbox(place(folder).file, 500ms);
  CHECK(report.pending == 5U);
  CHECK_FALSE(report.verified);
  CHECK(SlowDisk::reads() < 3000);
}

TEST_CASE("A run that starts while the outbox is looked into gets it") {
  const TempFolder folder;
  const std::string file = place(folder).file;
  fill(file, 5000, std::string(3000, ' '));
  ChildProcess doctor(
      [&file](const ChildProcess::Parent& parent) {
        const SlowDisk disk;
        if (parent.wait_for_go()) (void)inspect_outbox(file, 100ms);
        parent.tell("done");
      },
      {});
  const std::jthread asking([&doctor] { (void)doctor.ask(); });
  while (!holder_of(file)) std::this_thread::yield();
  Database run(file, 64'000'000, false);
  run.verify();
  CHECK(run.rows() == 5000);
}

TEST_CASE("A damaged outbox is a warning: the next run mends it") {
  const TempFolder folder;
  folder.write("outbox-pi-1.db", std::string(8192, 'x'));
  CHECK_THAT(shown(check_outbox(place(folder), {})),
             ContainsSubstring("warn outbox: " + place(folder).file +
                               " is damaged: file is not a database | glimpse run"));
}

TEST_CASE("An outbox in use is left alone") {
  const TempFolder folder;
  folder.write("outbox-pi-1.db", "not even looked at");
  CHECK(shown(check_outbox(place(folder), Running{42, Running::How::this_outbox, {}})) ==
        "ok outbox: glimpse run, pid 42 has it, and its records tell how many wait");
  fs::remove(place(folder).file);
  fill(place(folder).file, 1);
  CHECK_THAT(shown(check_outbox(place(folder), Running{42, Running::How::this_device, {}})),
             ContainsSubstring("1 record waits"));  // its outbox is another
  ChildProcess other(
      [&](const ChildProcess::Parent& parent) {  // whose lock could not be seen beforehand
        if (!parent.wait_for_go()) return;
        const Database open(place(folder).file, 64'000'000, false);
        do parent.tell("open");
        while (parent.wait_for_go());
      },
      {});
  REQUIRE(other.ask() == "open");
  CHECK(shown(check_outbox(place(folder), {})) ==
        "ok outbox: a program has it open, so it was not looked into");
}

TEST_CASE("Who runs, and what it says of itself") {
  CHECK(shown(check_running({})) == "ok running: no glimpse run has this device's outbox");
  CHECK(shown(check_running(Running{42, Running::How::this_outbox, "30.1 fps"})) ==
        "ok running: glimpse run, pid 42: 30.1 fps");
  CHECK(shown(check_running(Running{42, Running::How::perhaps, {}})) ==
        "ok running: glimpse run, pid 42, of another user and perhaps as this device");
  CHECK(shown(check_running(Running{42, Running::How::without_outbox, {}})) ==
        "ok running: glimpse run, pid 42, without an outbox and perhaps as this device");
}
