#include "telemetry/outbox/inspection.hpp"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/file_descriptor.hpp"
#include "core/waiting.hpp"

namespace glimpse {
namespace {

// What of a file SQLite locks.
constexpr off_t first_lock = 0x40000000, locks = 512;  // SQLite's os.h: PENDING_BYTE and those behind it

/// Breaks off what the connection is at once the time is over. Not by SQLite's progress handler, which is not
/// called while it counts rows.
class TimeLimit {
 public:
  TimeLimit(Sqlite& connection, std::chrono::milliseconds limit)
      : thread_([this, &connection, limit](const std::stop_token& stop) {
          if (!sleep_for(stop, limit)) return;
          over_ = true;
          // Again and again: it is forgotten where it comes between two statements.
          do sqlite3_interrupt(connection.get());
          while (sleep_for(stop, std::chrono::milliseconds(5)));
        }) {}
  [[nodiscard]] bool over() const { return over_; }

 private:
  std::atomic<bool> over_{false};
  std::jthread thread_;
};

struct flock all_locks() {
  struct flock lock {};
  lock.l_type = F_WRLCK;  // meets any lock
  lock.l_whence = SEEK_SET;
  lock.l_start = first_lock;
  lock.l_len = locks;
  return lock;
}

}  // namespace

std::optional<pid_t> holder_of(const std::string& file) {
  const FileDescriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct flock lock = all_locks();
  if (descriptor.get() < 0 || fcntl(descriptor.get(), F_GETLK, &lock) != 0) return std::nullopt;
  if (lock.l_type == F_UNLCK) return std::nullopt;
  return std::max<pid_t>(lock.l_pid, 0);
}

OutboxReport inspect_outbox(const std::string& file, std::chrono::milliseconds limit) {
  // All at once: SQLite takes them one by one, and of two that do so neither gets on, nor waits.
  const FileDescriptor descriptor(open(file.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  const struct flock lock = all_locks();
  if (descriptor.get() >= 0 && fcntl(descriptor.get(), F_SETLK, &lock) != 0)
    throw DatabaseError(DatabaseError::Kind::in_use, "another process has it");
  Sqlite connection(file, SQLITE_OPEN_READWRITE, "unix-none");
  connection.run("PRAGMA locking_mode=EXCLUSIVE");  // and so no shared memory beside the file
  // What the run before has not yet put into the file stays where it is: that would take time, too.
  sqlite3_db_config(connection.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  const TimeLimit time(connection, limit);
  OutboxReport report;
  try {
    report.dropped =
        static_cast<std::uint64_t>(connection.number("SELECT value FROM counts WHERE name = 'dropped'"));
    report.pending = static_cast<std::uint64_t>(connection.number("SELECT count(*) FROM records"));
    if (const std::string found = connection.text("PRAGMA quick_check(1)"); found != "ok")
      throw DatabaseError(DatabaseError::Kind::damaged, found);
    report.verified = true;
  } catch (const DatabaseError&) {
    if (!time.over()) throw;
  }
  return report;
}

}  // namespace glimpse
