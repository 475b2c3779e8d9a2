#include "telemetry/outbox/database.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "catch.hpp"
#include "temp_folder.hpp"

using namespace glimpse;

namespace {

constexpr std::uint64_t plenty = 64'000'000;
constexpr std::int64_t some_time = 1'732'262'400'000;

Database::Change insert(std::int64_t first, std::int64_t last, std::size_t size = 100) {
  Database::Change change;
  for (std::int64_t id = first; id <= last; ++id)
    change.insert.push_back({id, some_time + id, std::to_string(id) + std::string(size, 'x')});
  return change;
}

std::vector<std::int64_t> ids(Database& database) {
  std::vector<std::int64_t> found;
  for (auto row = database.next(0, 1 << 30); row; row = database.next(row->id, 1 << 30))
    found.push_back(row->id);
  return found;
}

}  // namespace

TEST_CASE("The checksum is the first 8 bytes of SHA-256") {
  // FIPS 180-2, appendix B.1: SHA-256("abc") begins ba7816bf 8f01cfea.
  CHECK(checksum("abc") == static_cast<std::int64_t>(0xba7816bf8f01cfeaULL));
}

TEST_CASE("What was committed is there when the file is opened again, in order") {
  const TempFolder folder;
  const std::string file = folder.path() / "outbox.db";
  {
    Database database(file, plenty, false);
    database.verify();
    database.commit(insert(1, 3));
    Database::Change erase;
    erase.erase = {2, 99};
    erase.dropped = 4;
    database.commit(erase);
    CHECK(database.rows() == 2);
  }
  Database again(file, plenty, false);
  again.verify();
  CHECK(again.rows() == 2);
  CHECK(again.last_id() == 3);
  CHECK(again.dropped() == 4);
  CHECK(ids(again) == std::vector<std::int64_t>{1, 3});
  CHECK(again.next(0, 1)->payload == "1" + std::string(100, 'x'));
  CHECK(again.next(0, 1)->time_ms == some_time + 1);
  CHECK_FALSE(again.next(1, 2));
}

TEST_CASE("The file is its owner's alone") {
  const TempFolder folder;
  const std::string file = folder.path() / "outbox.db";
  const mode_t before = umask(0);
  {
    Database database(file, plenty, false);
    database.commit(insert(1, 1));
    for (const auto& name : {file, file + "-wal"}) {
      struct stat status {};
      REQUIRE(stat(name.c_str(), &status) == 0);
      CHECK((status.st_mode & 0777) == 0600);
    }
  }
  umask(before);
}

TEST_CASE("A second opener is told that the file is in use") {
  const TempFolder folder;
  const std::string file = folder.path() / "outbox.db";
  Database database(file, plenty, false);
  try {
    Database second(file, plenty, false);
    FAIL("it was let in");
  } catch (const DatabaseError& error) {
    CHECK(error.kind() == DatabaseError::Kind::in_use);
  }
}

TEST_CASE(
    "When the bound is reached the oldest go, counted, but for those on their way; the file stays within "
    "it") {
  const TempFolder folder;
  const std::string file = folder.path() / "outbox.db";
  constexpr std::uint64_t bound = 1'000'000;
  Database database(file, bound, false);
  database.verify();
  constexpr std::int64_t count = 3000;
  for (std::int64_t id = 1; id <= count; ++id) {
    Database::Change change = insert(id, id, 1000);
    change.keep = {5, 6};
    database.commit(change);
  }
  CHECK(database.rows() + database.dropped() == count);
  CHECK(database.dropped() > 1000);
  const auto left = ids(database);
  REQUIRE(left.size() > 500);  // some 1,000 bytes a row
  CHECK(left[0] == 5);
  CHECK(left[1] == 6);
  CHECK(left.back() == count);
  for (std::size_t i = 3; i < left.size(); ++i) CHECK(left[i] == left[i - 1] + 1);
  CAPTURE(std::filesystem::file_size(file), std::filesystem::file_size(file + "-wal"));
  CHECK(std::filesystem::file_size(file) + std::filesystem::file_size(file + "-wal") <= bound * 11 / 10);
}

TEST_CASE("An outbox that has been emptied gives the disk back") {
  const TempFolder folder;
  const std::string file = folder.path() / "outbox.db";
  {
    Database database(file, plenty, false);
    database.verify();
    database.commit(insert(1, 5000, 1000));
    Database::Change erase;
    for (std::int64_t id = 1; id <= 5000; ++id) erase.erase.push_back(id);
    database.commit(erase);
  }
  CHECK(std::filesystem::file_size(file) < 100'000);
}

TEST_CASE("What is too old goes, counted, unless its time cannot be trusted") {
  const TempFolder folder;
  Database database(folder.path() / "outbox.db", plenty, false);
  database.verify();
  database.commit(insert(1, 10));
  Database::Change change;
  change.oldest_ms = some_time + 4;
  change.keep = {2};
  database.commit(change);
  CHECK(ids(database) == std::vector<std::int64_t>{2, 4, 5, 6, 7, 8, 9, 10});
  CHECK(database.dropped() == 2);

  Database unset(folder.path() / "unset.db", plenty, false);
  unset.verify();
  change = {};
  change.insert = {{1, 5000, "made at five seconds past 1970"}, {2, some_time, "after the clock was set"}};
  unset.commit(change);
  change = {};
  change.oldest_ms = some_time - 1;
  unset.commit(change);
  CHECK(unset.rows() == 2);
}

TEST_CASE("A commit is done whole or not at all") {
  const TempFolder folder;
  Database database(folder.path() / "outbox.db", plenty, false);
  database.verify();
  database.commit(insert(1, 3));
  Database::Change twice = insert(4, 5);
  twice.insert.push_back(twice.insert.front());  // a number that is taken: the second half cannot be done
  CHECK_THROWS_AS(database.commit(twice), DatabaseError);
  CHECK(ids(database) == std::vector<std::int64_t>{1, 2, 3});
  CHECK(database.rows() == 3);
  database.commit(insert(4, 5));
  CHECK(database.rows() == 5);
}

TEST_CASE("A bit that flipped in a payload shows, and what is no outbox is told from one") {
  const TempFolder folder;
  const std::string file = folder.path() / "outbox.db";
  { Database(file, plenty, false).commit(insert(1, 2)); }
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    std::string all((std::istreambuf_iterator<char>(bytes)), {});
    const auto at = all.find("1xxx");
    REQUIRE(at != std::string::npos);
    bytes.clear();
    bytes.seekp(static_cast<std::streamoff>(at + 50));
    bytes.put('y');
  }
  Database flipped(file, plenty, false);
  flipped.verify();  // SQLite itself sees nothing wrong
  CHECK(flipped.next(0, 1)->payload.empty());
  CHECK_FALSE(flipped.next(1, 2)->payload.empty());

  const auto is_damaged = [](const std::string& name) {
    try {
      Database(name, plenty, false).verify();
      return false;
    } catch (const DatabaseError& error) {
      return error.kind() == DatabaseError::Kind::damaged;
    }
  };
  {
    const std::string sealed = folder.path() / "sealed.db";
    { Database(sealed, plenty, false).commit(insert(1, 2)); }
    std::fstream bytes(sealed, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(18);  // the file format's write version: above 2 means that it may only be read
    bytes.put(3);
    bytes.close();
    CHECK(is_damaged(sealed));
  }
  CHECK(is_damaged(folder.write("text.db", "this is not a database, whatever its name says\n")));
  {
    Sqlite other((folder.path() / "other.db").string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    other.run("CREATE TABLE records(something)");
  }
  CHECK(is_damaged(folder.path() / "other.db"));
}

namespace {

/// What the file does to whoever opens and uses it; nothing: all is well.
std::optional<DatabaseError::Kind> trouble_with(const std::string& file) {
  try {
    Database database(file, plenty, false);
    database.verify();
    database.commit({});
    return std::nullopt;
  } catch (const DatabaseError& error) {
    return error.kind();
  }
}

}  // namespace

// Each was a full disk or an empty outbox to us, and so never mended.
TEST_CASE("What SQLite itself takes, and no outbox of ours can hold, is damaged") {
  const TempFolder folder;
  const std::string file = folder.path() / "outbox.db";
  const auto make = [&] {
    std::filesystem::remove(file);
    Database database(file, plenty, false);
    database.verify();
    database.commit(insert(1, 3));
  };
  const auto after = [&](const char* sql) {
    make();
    {
      Sqlite connection(file, SQLITE_OPEN_READWRITE);
      connection.run(sql);
    }
    return trouble_with(file);
  };
  const auto after_writing = [&](std::streamoff at, const std::string& bytes) {
    make();
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(at) << bytes;
    return trouble_with(file);
  };
  const auto damaged = DatabaseError::Kind::damaged;
  CHECK_FALSE(after("SELECT 1"));
  CHECK(after("UPDATE records SET id = 0 WHERE id = 1") == damaged);
  CHECK(after("UPDATE records SET id = -4 WHERE id = 1") == damaged);
  CHECK(after("UPDATE counts SET value = -1") == damaged);
  // The file format's write version (https://www.sqlite.org/fileformat.html, 1.3.3): beyond 2 is read-only.
  CHECK(after_writing(18, "\x03") == damaged);

  make();
  std::ifstream in(file, std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(in)), {});
  const auto key = static_cast<std::streamoff>(all.find("PRIMARY KEY, time_ms"));
  CHECK(after_writing(key + 5, "\xd2") == damaged);  // a type of that name: every id is null
}

TEST_CASE("A file that may not be written is no damaged one") {
  if (geteuid() == 0) return;  // who may write everything
  const TempFolder folder;
  const std::string file = folder.path() / "outbox.db";
  { const Database made(file, plenty, false); }
  chmod(file.c_str(), 0400);
  CHECK(trouble_with(file) == DatabaseError::Kind::not_written);
}
