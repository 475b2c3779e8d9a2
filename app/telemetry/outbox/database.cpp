#include "telemetry/outbox/database.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>

namespace glimpse {
namespace {

using Kind = DatabaseError::Kind;

constexpr std::int64_t application_id = 0x676c696d;         // "glim" in the file's header
constexpr std::int64_t largest_id = std::int64_t{1} << 53;  // no outbox ever gets there; a flipped bit does
constexpr const char* records_table =
    "CREATE TABLE records(id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, payload TEXT NOT NULL, "
    "checksum INTEGER NOT NULL)";
constexpr const char* counts_table =
    "CREATE TABLE counts(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID";
constexpr int dropped_at_once = 8;
constexpr int aged_at_once = 1000;                    // so that one commit stays small
constexpr std::uint64_t worth_giving_back = 1 << 20;  // bytes of the file that nothing uses

/// So that nobody else can read it, whatever the umask.
const std::string& made_private(const std::string& file) {
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0) close(fd);
  return file;
}

/// All or nothing, whatever throws in between.
class Transaction {
 public:
  explicit Transaction(Sqlite& connection) : connection_(connection) { connection_.run("BEGIN IMMEDIATE"); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    // SQLite may have rolled back by itself.
    if (!done_ && sqlite3_get_autocommit(connection_.get()) == 0)
      sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  void commit() {
    connection_.run("COMMIT");
    done_ = true;
  }

 private:
  Sqlite& connection_;
  bool done_ = false;
};

std::int64_t single(Statement& statement) {
  const std::int64_t value = statement.step() ? statement.integer(0) : 0;
  statement.reset();
  return value;
}

}  // namespace

std::int64_t checksum(const std::string& payload) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(payload.data(), payload.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | digest[static_cast<std::size_t>(i)];
  return static_cast<std::int64_t>(value);
}

bool is_as_stored(const std::string& payload, std::int64_t stored_checksum) {
  return std::popcount(static_cast<std::uint64_t>(checksum(payload) ^ stored_checksum)) <= 3;
}

Database::Database(const std::string& file, std::uint64_t max_bytes, bool durable)
    : max_bytes_(max_bytes), connection_(made_private(file), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
  connection_.run("PRAGMA busy_timeout=1000");       // ms: the process before us may be on its way out
  connection_.run("PRAGMA locking_mode=EXCLUSIVE");  // and so no shared memory beside the file
  connection_.run("PRAGMA auto_vacuum=INCREMENTAL");
  connection_.run("PRAGMA journal_mode=WAL");
  connection_.run(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  connection_.run("PRAGMA cache_size=-512");  // KiB
  {
    Transaction transaction(connection_);
    if (connection_.number("SELECT count(*) FROM sqlite_master") == 0) make_tables();
    transaction.commit();
  }
  if (connection_.number("PRAGMA application_id") != application_id)
    throw DatabaseError(Kind::damaged, "not an outbox of glimpse");
  // One flipped bit can leave tables that SQLite takes and that show other rows.
  if (connection_.text("SELECT group_concat(sql, '') FROM (SELECT sql FROM sqlite_master ORDER BY rowid)") !=
      std::string(records_table) + counts_table)
    throw DatabaseError(Kind::damaged, "its tables are not those of an outbox");
  page_bytes_ = static_cast<std::uint64_t>(connection_.number("PRAGMA page_size"));
  const auto log_pages = std::max<std::uint64_t>(max_bytes_ / 20 / page_bytes_, 8);
  connection_.run(("PRAGMA wal_autocheckpoint=" + std::to_string(log_pages)).c_str());

  insert_ = std::make_unique<Statement>(
      connection_, "INSERT INTO records(id, time_ms, payload, checksum) VALUES(?, ?, ?, ?)");
  erase_ = std::make_unique<Statement>(connection_, "DELETE FROM records WHERE id = ?");
  next_ = std::make_unique<Statement>(connection_,
                                      "SELECT id, time_ms, payload, checksum FROM records "
                                      "WHERE id > ? AND id <= ? ORDER BY id LIMIT 1");
  count_dropped_ = std::make_unique<Statement>(connection_, "REPLACE INTO counts VALUES('dropped', ?)");
  page_count_ = std::make_unique<Statement>(connection_, "PRAGMA page_count");
  free_count_ = std::make_unique<Statement>(connection_, "PRAGMA freelist_count");
  last_id_ = connection_.number("SELECT max(id) FROM records");
  if (last_id_ > largest_id || connection_.number("SELECT count(*) FROM records WHERE id < 1") != 0)
    throw DatabaseError(Kind::damaged, "an impossible record number");
  const std::int64_t dropped = connection_.number("SELECT value FROM counts WHERE name = 'dropped'");
  if (dropped < 0) throw DatabaseError(Kind::damaged, "an impossible count of dropped records");
  dropped_ = static_cast<std::uint64_t>(dropped);
}

void Database::make_tables() {
  connection_.run(("PRAGMA application_id=" + std::to_string(application_id)).c_str());
  connection_.run(records_table);
  connection_.run(counts_table);
  connection_.run("INSERT INTO counts VALUES('dropped', 0)");
}

void Database::verify() {
  if (const std::string found = connection_.text("PRAGMA quick_check(1)"); found != "ok")
    throw DatabaseError(Kind::damaged, found);
  rows_ = static_cast<std::uint64_t>(connection_.number("SELECT count(*) FROM records"));
}

void Database::commit(const Change& change) {
  std::uint64_t rows = rows_, dropped = dropped_ + change.dropped;
  std::int64_t last_id = last_id_;
  Transaction transaction(connection_);
  for (const std::int64_t id : change.erase) {
    erase_->bind(1, id).run();
    rows -= static_cast<std::uint64_t>(sqlite3_changes(connection_.get()));
  }
  for (const StoredRecord& record : change.insert) {
    insert_->bind(1, record.id)
        .bind(2, record.time_ms)
        .bind(3, record.payload)
        .bind(4, checksum(record.payload));
    insert_->run();
    last_id = std::max(last_id, record.id);
    ++rows;
  }
  drop_oldest(change, rows, dropped);
  if (dropped != dropped_) count_dropped_->bind(1, static_cast<std::int64_t>(dropped)).run();
  if (rows == 0 && static_cast<std::uint64_t>(single(*free_count_)) * page_bytes_ >= worth_giving_back)
    connection_.run("PRAGMA incremental_vacuum");
  transaction.commit();
  rows_ = rows;
  dropped_ = dropped;
  last_id_ = last_id;
}

std::uint64_t Database::used_bytes() {
  return static_cast<std::uint64_t>(single(*page_count_) - single(*free_count_)) * page_bytes_;
}

void Database::drop_oldest(const Change& change, std::uint64_t& rows, std::uint64_t& dropped) {
  const auto drop = [&](std::int64_t id) {
    erase_->bind(1, id).run();
    --rows;
    ++dropped;
  };
  while (used_bytes() > max_bytes_) {
    int found = 0;
    for (std::int64_t after = 0; found < dropped_at_once;) {
      const auto oldest = next(after, last_id_);  // not what has just come in
      if (!oldest) break;
      after = oldest->id;
      if (change.keep.contains(after)) continue;
      drop(after);
      ++found;
    }
    if (found == 0) return;
  }
  std::int64_t after = 0;
  for (int i = 0; change.oldest_ms > 0 && i < aged_at_once; ++i) {
    const auto oldest = next(after, last_id_);
    // A time before 2020 says that the clock was not set, and nothing about age; then size alone counts.
    if (!oldest || oldest->time_ms >= change.oldest_ms || oldest->time_ms < first_trusted_ms) return;
    after = oldest->id;
    if (!change.keep.contains(after)) drop(after);
  }
}

std::optional<StoredRecord> Database::next(std::int64_t after, std::int64_t until) {
  next_->bind(1, after).bind(2, until);
  std::optional<StoredRecord> found;
  if (next_->step()) {
    found = StoredRecord{next_->integer(0), next_->integer(1), next_->text(2)};
    if (!is_as_stored(found->payload, next_->integer(3))) found->payload.clear();
  }
  next_->reset();
  return found;
}

void Database::sync() {
  sqlite3_file* log = nullptr;
  sqlite3_file_control(connection_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log == nullptr || log->pMethods == nullptr) return;
  if (const int code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL); code != SQLITE_OK)
    throw DatabaseError(Kind::not_written, sqlite3_errstr(code));
}

}  // namespace glimpse
