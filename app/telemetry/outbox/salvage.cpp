#include "telemetry/outbox/salvage.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <system_error>
#include <vector>

namespace glimpse {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kept_files = 2;
constexpr std::int64_t least_row_bytes = 64;
constexpr std::size_t rows_at_once = 64;
constexpr const char* mark = ".damaged-";

/// To the microsecond, so that names sort by age.
std::string utc_stamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  const std::time_t seconds = us / 1'000'000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40] = "";
  const std::size_t length = strftime(text, sizeof(text), "%Y%m%d-%H%M%S", &parts);
  (void)std::snprintf(text + length, sizeof(text) - length, ".%06d", static_cast<int>(us % 1'000'000));
  return text;
}

/// The files set aside so far, without their logs, oldest first.
std::vector<fs::path> earlier(const fs::path& file) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(file.parent_path(), ignored)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(file.filename().string() + mark) && !name.ends_with("-wal"))
      found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Rows of a damaged file. Columns go by their place, since bits of their names may have flipped, too.
class Reader {
 public:
  /// `from` is for the statement's parameter, where it has one.
  Reader(Sqlite& file, const std::string& sql, std::int64_t from = 0) {
    try {
      rows_.emplace(file, sql.c_str());
      rows_->bind(1, from);
    } catch (const DatabaseError&) {
      broke_ = true;
    }
  }
  /// With another value for the parameter.
  void restart(std::int64_t from) {
    if (!rows_) return;
    broke_ = false;
    rows_->reset();
    rows_->bind(1, from);
  }
  /// False at the end, and at the first broken place.
  bool next() {
    try {
      return !broke_ && rows_->step();
    } catch (const DatabaseError&) {
      broke_ = true;
      return false;
    }
  }
  [[nodiscard]] bool broke() const { return broke_; }
  [[nodiscard]] std::int64_t number() const { return rows_->integer(0); }
  [[nodiscard]] std::string text() const { return rows_->text(0); }
  /// Of SELECT rowid, *. Nothing where it is not what was stored.
  [[nodiscard]] std::optional<StoredRecord> row() const {
    StoredRecord row{0, rows_->integer(2), rows_->text(3)};
    return is_as_stored(row.payload, rows_->integer(4)) ? std::optional(std::move(row)) : std::nullopt;
  }

 private:
  std::optional<Statement> rows_;
  bool broke_ = false;
};

std::optional<Sqlite> open_damaged(const std::string& file) {
  try {
    std::optional<Sqlite> opened(std::in_place, file, SQLITE_OPEN_READWRITE);
    // First of all: it lets a file be read that is shorter than its header says.
    opened->run("PRAGMA writable_schema=ON");
    opened->run("PRAGMA locking_mode=EXCLUSIVE");
    opened->run("PRAGMA cache_size=-512");
    return opened;
  } catch (const DatabaseError&) {
    return std::nullopt;
  }
}

/// The table's name as it stands in the file now, quoted for SQL.
std::string records_table(Sqlite& file) {
  Reader names(file, "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'counts' LIMIT 1");
  std::string quoted = "\"";
  for (const char c : names.next() ? names.text() : "records")
    quoted += c == '"' ? std::string(2, c) : std::string(1, c);
  return quoted + '"';
}

/// What a walk from the first row on did not reach, because it broke after `low`: the ids of a walk from the
/// last row back, and each number between the two.
std::set<std::int64_t> beyond(Sqlite& file, const std::string& table, std::int64_t low,
                              std::int64_t file_bytes) {
  std::set<std::int64_t> ids;
  Reader backwards(file, "SELECT rowid FROM " + table + " WHERE rowid > ? ORDER BY rowid DESC", low);
  while (backwards.next()) ids.insert(backwards.number());
  const std::int64_t room = file_bytes / least_row_bytes;
  const std::int64_t most = std::min(low, std::numeric_limits<std::int64_t>::max() - room) + room;
  const std::int64_t high = ids.empty() ? most : std::min(most, *ids.begin());
  for (std::int64_t id = low + 1; id < high; ++id) ids.insert(id);
  return ids;
}

}  // namespace

std::string set_aside(const std::string& file) {
  std::string name = file + mark + utc_stamp();
  std::error_code error;
  fs::rename(file, name, error);
  if (error) throw DatabaseError(DatabaseError::Kind::not_written, error.message());
  fs::rename(file + "-wal", name + "-wal", error);  // there may be none
  auto files = earlier(file);
  for (std::size_t i = 0; i + kept_files < files.size(); ++i) {
    fs::remove(files[i], error);
    fs::remove(files[i].string() + "-wal", error);
  }
  return name;
}

Salvage salvage(const std::string& damaged_file, Database& fresh, std::int64_t last_id) {
  Salvage found;
  Database::Change change;
  const auto commit = [&] {
    fresh.commit(change);
    found.rows += change.insert.size();
    change = {};
  };
  const auto take_over = [&](const Reader& reader) {
    auto row = reader.row();
    if (!row) return ++found.lost, void();
    row->id = ++last_id;  // the old numbers prove nothing but their order
    change.insert.push_back(std::move(*row));
    if (change.insert.size() == rows_at_once) commit();
  };
  if (auto damaged = open_damaged(damaged_file)) {
    if (Reader counts(*damaged, "SELECT value FROM counts WHERE name = 'dropped'"); counts.next())
      change.dropped = static_cast<std::uint64_t>(std::max<std::int64_t>(counts.number(), 0));
    std::error_code ignored;
    const auto size = static_cast<std::int64_t>(fs::file_size(damaged_file, ignored));
    std::int64_t low = 0;
    std::set<std::int64_t> seen;
    const std::string table = records_table(*damaged);
    Reader forwards(*damaged, "SELECT rowid, * FROM " + table);
    while (forwards.next()) {
      low = std::max(low, forwards.number());
      seen.insert(forwards.number());
      take_over(forwards);
    }
    if (forwards.broke()) {
      Reader one(*damaged, "SELECT rowid, * FROM " + table + " WHERE rowid = ?");
      for (const std::int64_t id : beyond(*damaged, table, low, size)) {
        one.restart(id);
        if (!seen.contains(id) && one.next()) take_over(one);
      }
    }
  }
  change.dropped += found.lost;
  commit();
  return found;
}

}  // namespace glimpse
