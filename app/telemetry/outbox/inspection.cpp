#include "telemetry/outbox/inspection.hpp"

#include <fcntl.h>

#include <algorithm>

#include "core/file_descriptor.hpp"
#include "core/waiting.hpp"

namespace glimpse {
namespace {

constexpr off_t first_lock = 0x40000000, locks = 512;  // SQLite's os.h: PENDING_BYTE and those behind it
constexpr int steps_between_looks = 1000;              // of SQLite's virtual machine; well below 1 ms

/// Breaks a query off once its time is over.
class TimeLimit {
 public:
  TimeLimit(Sqlite& connection, std::chrono::milliseconds limit)
      : connection_(connection), end_(Steady::now() + limit) {
    sqlite3_progress_handler(connection_.get(), steps_between_looks, &look, this);
  }
  ~TimeLimit() { sqlite3_progress_handler(connection_.get(), 0, nullptr, nullptr); }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;
  [[nodiscard]] bool over() const { return over_; }

 private:
  static int look(void* self) {
    auto& limit = *static_cast<TimeLimit*>(self);
    limit.over_ = limit.over_ || Steady::now() >= limit.end_;
    return limit.over_ ? 1 : 0;
  }
  Sqlite& connection_;
  const Steady::time_point end_;
  bool over_ = false;
};

}  // namespace

std::optional<pid_t> holder_of(const std::string& file) {
  const FileDescriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct flock lock {};
  lock.l_type = F_WRLCK;  // would meet any lock
  lock.l_whence = SEEK_SET;
  lock.l_start = first_lock;
  lock.l_len = locks;
  if (descriptor.get() < 0 || fcntl(descriptor.get(), F_GETLK, &lock) != 0) return std::nullopt;
  if (lock.l_type == F_UNLCK) return std::nullopt;
  return std::max<pid_t>(lock.l_pid, 0);
}

OutboxReport inspect_outbox(const std::string& file, std::chrono::milliseconds limit) {
  Sqlite connection(file, SQLITE_OPEN_READWRITE);
  connection.run("PRAGMA locking_mode=EXCLUSIVE");  // and so no shared memory beside the file
  TimeLimit time(connection, limit);
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
