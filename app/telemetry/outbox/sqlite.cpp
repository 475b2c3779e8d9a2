#include "telemetry/outbox/sqlite.hpp"

#include <unistd.h>

namespace glimpse {
namespace {

using Kind = DatabaseError::Kind;

Kind kind_of(int code, sqlite3* connection) {
  if (code == SQLITE_IOERR_READ) return Kind::damaged;  // an unreadable sector
  // The file could be written, but its header says that only a newer SQLite may.
  if (code == SQLITE_READONLY && access(sqlite3_db_filename(connection, "main"), W_OK) == 0)
    return Kind::damaged;
  switch (code & 0xff) {  // the low byte is the primary code
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Kind::in_use;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:  // a table or a column that should be there is not
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:  // no two records of ours have one number
    case SQLITE_TOOBIG:      // these two: a length in it that cannot be true
    case SQLITE_NOMEM:
      return Kind::damaged;
    case SQLITE_FULL:
      return Kind::full;
    default:
      return Kind::not_written;
  }
}

}  // namespace

Sqlite::Sqlite(const std::string& file, int flags, const char* vfs) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, vfs);
  connection_.reset(opened);
  if (code != SQLITE_OK) fail(code);
  sqlite3_extended_result_codes(opened, 1);
}

void Sqlite::run(const char* sql) {
  if (const int code = sqlite3_exec(get(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
}

std::int64_t Sqlite::number(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string Sqlite::text(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.text(0) : "";
}

void Sqlite::fail(int code) const {
  const char* const words = connection_ ? sqlite3_errmsg(get()) : sqlite3_errstr(code);
  throw DatabaseError(kind_of(code, get()), words);
}

Statement::Statement(Sqlite& connection, const char* sql) : connection_(connection) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v2(connection.get(), sql, -1, &prepared, nullptr);
  statement_.reset(prepared);
  if (code != SQLITE_OK) connection.fail(code);
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text(statement_.get(), parameter, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  // Before the reset, which may leave others.
  const auto kind = kind_of(code, connection_.get());
  const std::string words = sqlite3_errmsg(connection_.get());
  reset();
  throw DatabaseError(kind, words);
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? "" : std::string(bytes, size);
}

}  // namespace glimpse
