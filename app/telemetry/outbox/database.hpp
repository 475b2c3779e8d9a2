// The outbox on disk: one SQLite file with a write-ahead log and one writer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "telemetry/outbox/sqlite.hpp"

namespace glimpse {

struct StoredRecord {
  std::int64_t id = 0;       // from 1, rising in the order of acceptance
  std::int64_t time_ms = 0;  // the record's own Unix time
  std::string payload;
};

/// Not thread-safe. Any call may throw DatabaseError; the file is then as it was before the call.
class Database {
 public:
  /// The year 2020: an earlier time is that of a clock that was not set.
  static constexpr std::int64_t first_trusted_ms = 1'577'836'800'000;

  /// What one commit() changes, all or nothing.
  struct Change {
    std::vector<std::int64_t> erase;
    std::vector<StoredRecord> insert;
    std::set<std::int64_t> keep;  // never dropped: they are on their way, and may have arrived
    std::int64_t oldest_ms = 0;   // drop what is older; 0: nothing is too old
    std::uint64_t dropped = 0;    // elsewhere, to be counted here
  };

  /// Opens the file, or makes it (0600), and locks it against every other process. Used pages never exceed
  /// `max_bytes` by more than one commit; the write-ahead log comes on top, about a twentieth of that. With
  /// `durable` each commit is on the medium before it returns; else it survives a crash of the process at
  /// once, and a power cut after sync().
  Database(const std::string& file, std::uint64_t max_bytes, bool durable);

  /// Reads the whole file: throws `damaged` where its structure is broken, else rows() is known.
  void verify();
  /// Erases, inserts, and drops the oldest until age and size are within their bounds; those are counted in
  /// dropped().
  void commit(const Change& change);
  /// The first row with after < id <= until. Its payload is empty where the checksum says that it is not what
  /// was stored.
  [[nodiscard]] std::optional<StoredRecord> next(std::int64_t after, std::int64_t until);
  /// Puts everything committed on the medium.
  void sync();

  [[nodiscard]] std::int64_t last_id() const { return last_id_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }  // since the file was made

 private:
  void make_tables();
  void drop_oldest(const Change& change, std::uint64_t& rows, std::uint64_t& dropped);
  [[nodiscard]] std::uint64_t used_bytes();

  const std::uint64_t max_bytes_;
  Sqlite connection_;
  std::uint64_t page_bytes_ = 0;
  std::unique_ptr<Statement> insert_, erase_, next_, count_dropped_, page_count_, free_count_;
  std::int64_t last_id_ = 0;
  std::uint64_t rows_ = 0, dropped_ = 0;
};

/// The first 8 bytes of the SHA-256 of `payload`, most significant first: a bit that flipped on the medium
/// shows.
[[nodiscard]] std::int64_t checksum(const std::string& payload);

/// Up to 3 different bits are the checksum's own that flipped: another payload's differs in about 32 of 64.
[[nodiscard]] bool is_as_stored(const std::string& payload, std::int64_t stored_checksum);

}  // namespace glimpse
