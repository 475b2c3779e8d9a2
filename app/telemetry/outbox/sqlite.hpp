// SQLite with owners and exceptions. For this folder alone.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace glimpse {

class DatabaseError : public std::runtime_error {
 public:
  enum class Kind {
    in_use,       // another process has it
    damaged,      // not a database of ours, or its structure is broken
    full,         // no room on the disk; what was there is still there
    not_written,  // read-only, gone, input/output error
  };
  DatabaseError(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  [[nodiscard]] Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

/// A connection. Every call may throw DatabaseError with SQLite's own words.
class Sqlite {
 public:
  /// `flags` and `vfs` as sqlite3_open_v2() takes them.
  Sqlite(const std::string& file, int flags, const char* vfs = nullptr);
  void run(const char* sql);
  [[nodiscard]] std::int64_t number(const char* sql);
  [[nodiscard]] std::string text(const char* sql);
  [[nodiscard]] sqlite3* get() const { return connection_.get(); }
  [[noreturn]] void fail(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  std::unique_ptr<sqlite3, Close> connection_;
};

/// A prepared statement, to be used again and again. Columns count from 0, parameters from 1.
class Statement {
 public:
  Statement(Sqlite& connection, const char* sql);
  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view text);  // must live until reset()
  [[nodiscard]] bool step();                              // false: no more rows
  void run();                                             // for what gives no rows
  void reset();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Sqlite& connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace glimpse
