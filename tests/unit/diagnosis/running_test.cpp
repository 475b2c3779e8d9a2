#include "diagnosis/running.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "catch.hpp"
#include "core/child_process.hpp"
#include "telemetry/outbox/database.hpp"
#include "temp_folder.hpp"

using namespace glimpse;
namespace fs = std::filesystem;

namespace {

/// A process in a /proc that has open what it is said to have.
void process(const TempFolder& proc, const std::string& pid, const std::string& comm, const std::string& verb,
             const std::string& open, const std::string& option = "--config") {
  proc.write(pid + "/comm", comm + "\n");
  proc.write(pid + "/cmdline", std::string("/usr/bin/glimpse\0", 17) + verb +
                                   std::string("\0--source\0test\0", 15) + option + '\0');
  fs::create_directories(proc.path() / pid / "fd");
  fs::create_symlink("/dev/null", proc.path() / pid / "fd/0");
  fs::create_symlink(open, proc.path() / pid / "fd/7");
}

std::optional<Running> look(const TempFolder& proc) {
  return running_glimpse("/nowhere/outbox-pi-1.db", proc.path());
}

}  // namespace

TEST_CASE("Whoever has the outbox locked is running") {
  const TempFolder folder, proc;
  const std::string file = folder.path() / "outbox-pi-1.db";
  ChildProcess holder(
      [&file](const ChildProcess::Parent& parent) {
        if (!parent.wait_for_go()) return;
        const Database database(file, 1'000'000, false);
        do parent.tell(std::to_string(::getpid()));
        while (parent.wait_for_go());
      },
      {});
  const std::string pid = holder.ask().value_or("");
  const auto found = running_glimpse(file, proc.path());
  REQUIRE(found);
  CHECK(std::to_string(found->pid) == pid);
  CHECK(found->how == Running::How::this_outbox);
}

TEST_CASE("A file that nobody has locked, and one that is not there, are nobody's") {
  const TempFolder folder, proc;
  CHECK_FALSE(running_glimpse(folder.path() / "none.db", proc.path()));
  CHECK_FALSE(running_glimpse(folder.write("outbox-pi-1.db", "x"), proc.path()));
}

TEST_CASE("A run with an outbox of this device elsewhere is found by its open files") {
  const TempFolder proc;
  process(proc, "4242", "glimpse", "run", "/var/lib/glimpse/outbox-pi-1.db");
  const auto found = look(proc);
  REQUIRE(found);
  CHECK(found->pid == 4242);
  CHECK(found->how == Running::How::this_device);
}

TEST_CASE("An outbox that was deleted under its run is still this device's") {
  const TempFolder proc;
  process(proc, "4242", "glimpse", "run", "/var/lib/glimpse/outbox-pi-1.db (deleted)");  // proc(5)
  const auto found = look(proc);
  REQUIRE(found);
  CHECK(found->how == Running::How::this_device);
}

TEST_CASE("A run that has no outbox open may be this device's: it closes one that cannot be written to") {
  const TempFolder proc;
  process(proc, "4242", "glimpse", "run", "/var/log/outbox-of-another-kind");
  const auto found = look(proc);
  REQUIRE(found);
  CHECK(found->pid == 4242);
  CHECK(found->how == Running::How::without_outbox);
}

TEST_CASE("A run that was given neither a broker nor a file that may name one is logged in nowhere") {
  const TempFolder proc;
  process(proc, "4242", "glimpse", "run", "/dev/video0", "--web");
  fs::remove_all(proc.path() / "4242/fd");
  CHECK_FALSE(look(proc));
  process(proc, "4243", "glimpse", "run", "/dev/video0", "--broker=mqtts://localhost");
  CHECK(look(proc));
}

TEST_CASE("Other commands, other programs and other devices are none") {
  const TempFolder proc;
  process(proc, "11", "glimpse", "doctor", "/var/lib/glimpse/outbox-pi-1.db");
  process(proc, "12", "sqlite3", "run", "/var/lib/glimpse/outbox-pi-1.db");
  process(proc, "13", "glimpse", "run", "/var/lib/glimpse/outbox-pi-11.db");
  process(proc, "14", "glimpse", "runner", "/var/lib/glimpse/outbox-pi-1.db");
  process(proc, std::to_string(::getpid()), "glimpse", "run", "/var/lib/glimpse/outbox-pi-1.db");
  proc.write("uptime", "1 2\n");
  CHECK_FALSE(look(proc));
}

TEST_CASE("A run whose files cannot be seen may be this device's") {
  const TempFolder proc;
  process(proc, "4242", "glimpse", "run", "/var/lib/glimpse/outbox-pi-2.db");
  fs::remove_all(proc.path() / "4242/fd");  // what another user's /proc/PID/fd is like: no entry to be had
  const auto found = look(proc);
  REQUIRE(found);
  CHECK(found->pid == 4242);
  CHECK(found->how == Running::How::perhaps);
}
