// What a power cut may cost: when the log is forced to the medium, as seen from SQLite's own way to the disk.
#include <sqlite3.h>

#include <atomic>
#include <string_view>
#include <thread>

#include "catch.hpp"
#include "telemetry/outbox/outbox.hpp"
#include "temp_folder.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {

std::atomic<int> log_syncs;
sqlite3_vfs* real_vfs;
const sqlite3_io_methods* real_methods;
sqlite3_io_methods counting_methods;

int count_sync(sqlite3_file* file, int flags) {
  ++log_syncs;
  return real_methods->xSync(file, flags);
}

int open_counted(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
    real_methods = file->pMethods;
    counting_methods = *real_methods;
    counting_methods.xSync = count_sync;
    file->pMethods = &counting_methods;
  }
  return code;
}

/// SQLite's default way to the disk, with each sync of a log counted.
class CountedSyncs {
 public:
  CountedSyncs() {
    real_vfs = sqlite3_vfs_find(nullptr);
    vfs_ = *real_vfs;
    vfs_.zName = "counted";
    vfs_.xOpen = open_counted;
    sqlite3_vfs_register(&vfs_, 1);
    log_syncs = 0;
  }
  ~CountedSyncs() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_vfs, 1);
  }
  CountedSyncs(const CountedSyncs&) = delete;
  CountedSyncs& operator=(const CountedSyncs&) = delete;

 private:
  sqlite3_vfs vfs_{};
};

Database::Change insert(std::int64_t id) {
  Database::Change change;
  change.insert = {{id, id, "payload"}};
  return change;
}

bool eventually(int syncs) {
  const auto deadline = Steady::now() + 60s;
  while (log_syncs < syncs && Steady::now() < deadline) std::this_thread::yield();
  return log_syncs >= syncs;
}

}  // namespace

TEST_CASE("With --sync 0 each commit is on the medium; else sync() puts it there") {
  const CountedSyncs counted;
  const TempFolder folder;
  {
    Database durable(folder.path() / "durable.db", 64'000'000, true);
    const int before = log_syncs;
    for (int id = 1; id <= 5; ++id) durable.commit(insert(id));
    CHECK(log_syncs - before == 5);
  }
  Database database(folder.path() / "outbox.db", 64'000'000, false);
  const int before = log_syncs;
  for (int id = 1; id <= 5; ++id) database.commit(insert(id));
  CHECK(log_syncs == before);
  database.sync();
  CHECK(log_syncs == before + 1);
}

TEST_CASE("Within the interval of --sync every record is on the medium, and an idle outbox syncs nothing") {
  const CountedSyncs counted;
  const TempFolder folder;
  OutboxSettings settings;
  settings.file = folder.path() / "outbox.db";
  settings.sync = 100ms;
  Outbox outbox(settings, nullptr);
  const int made = log_syncs;  // making the file takes some
  outbox.accept(Record{});
  REQUIRE(outbox.flush(60s));
  REQUIRE(eventually(made + 1));  // the first at once
  const auto began = Steady::now();
  outbox.accept(Record{});  // too early for the next: it has to be done later, without another record
  REQUIRE(outbox.flush(60s));
  const int before = log_syncs;
  REQUIRE(eventually(made + 2));
  if (before == made + 1) CHECK(Steady::now() - began >= 50ms);
  const int after = log_syncs;
  const auto deadline = Steady::now() + 300ms;  // for what must not happen
  while (Steady::now() < deadline) std::this_thread::yield();
  CHECK(log_syncs == after);
}
