#include "telemetry/outbox/salvage.hpp"

#include <random>

#include "catch.hpp"
#include "temp_folder.hpp"

using namespace glimpse;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t plenty = 64'000'000;

std::string payload_of(std::int64_t id) {
  return "record " + std::to_string(id) + " " + std::string(1000, static_cast<char>('a' + id % 26));
}

std::string make_database(const TempFolder& folder, std::int64_t count) {
  const std::string file = folder.path() / "outbox.db";
  Database database(file, plenty, false);
  database.verify();
  Database::Change change;
  for (std::int64_t id = 1; id <= count; ++id) change.insert.push_back({id, id, payload_of(id)});
  change.dropped = 11;
  database.commit(change);
  return file;
}

void overwrite(const std::string& file, std::uintmax_t at, const std::string& bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(at));
  stream << bytes;
}

/// What SQLite itself, walking from the first on, still reads as it was stored: the outside view of "intact".
std::set<std::string> readable(const std::string& file) {
  std::set<std::string> found;
  try {
    Sqlite connection(file, SQLITE_OPEN_READONLY);
    Statement rows(connection, "SELECT * FROM records");
    while (rows.step()) {
      if (rows.text(2) == payload_of(rows.integer(0)) && checksum(rows.text(2)) == rows.integer(3))
        found.insert(rows.text(2));
    }
  } catch (const DatabaseError&) {
  }
  return found;
}

std::vector<std::string> salvaged(const TempFolder& folder, const std::string& file,
                                  Salvage* report = nullptr) {
  Database fresh(folder.path() / "fresh.db", plenty, false);
  fresh.verify();
  const Salvage found = salvage(file, fresh, 1000);
  if (report != nullptr) *report = found;
  std::vector<std::string> payloads;
  for (auto row = fresh.next(0, 1 << 30); row; row = fresh.next(row->id, 1 << 30)) {
    CHECK(row->id > 1000);
    payloads.push_back(row->payload);
  }
  CHECK(found.rows == payloads.size());
  return payloads;
}

}  // namespace

TEST_CASE("From a sound file everything is taken over, in order, with its count of dropped ones") {
  const TempFolder folder;
  const std::string file = make_database(folder, 500);
  const auto payloads = salvaged(folder, file);
  REQUIRE(payloads.size() == 500);
  for (std::int64_t id = 1; id <= 500; ++id)
    CHECK(payloads[static_cast<std::size_t>(id - 1)] == payload_of(id));
  CHECK(Database(folder.path() / "fresh.db", plenty, false).dropped() == 11);
}

TEST_CASE("A broken page in the middle costs its own rows alone") {
  const TempFolder folder;
  const std::string file = make_database(folder, 500);
  const auto size = fs::file_size(file);
  overwrite(file, size / 2 / 4096 * 4096, std::string(4096, '\x5a'));
  const std::size_t before = readable(file).size();  // up to the hole, as far as a plain reader gets
  REQUIRE(before < 400);
  const auto payloads = salvaged(folder, file);
  CHECK(payloads.size() >= 490);  // 3 or 4 rows a page
  CHECK(payloads.back() == payload_of(500));
}

TEST_CASE("A truncated file gives what is left of it") {
  const TempFolder folder;
  const std::string file = make_database(folder, 500);
  fs::resize_file(file, fs::file_size(file) * 2 / 3);
  CHECK(readable(file).empty());  // a plain reader refuses it whole
  const auto payloads = salvaged(folder, file);
  CHECK(payloads.size() > 300);
  CHECK(std::find(payloads.begin(), payloads.end(), payload_of(300)) != payloads.end());
}

TEST_CASE("A record whose bits flipped is not taken over, and counted") {
  const TempFolder folder;
  const std::string file = make_database(folder, 20);
  std::ifstream bytes(file, std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(bytes)), {});
  overwrite(file, all.find("record 7 ") + 100, "#");
  Salvage report;
  const auto payloads = salvaged(folder, file, &report);
  CHECK(payloads.size() == 19);
  CHECK(report.lost == 1);
  CHECK(std::find(payloads.begin(), payloads.end(), payload_of(8)) != payloads.end());
}

TEST_CASE(
    "Whatever bits flip: every record that a plain reader gets intact is taken over, and nothing else") {
  std::mt19937 random(20261122);  // NOLINT: the same faults each time
  const TempFolder folder;
  const std::string sound = make_database(folder, 60);
  const auto size = static_cast<unsigned>(fs::file_size(sound));
  for (int round = 0; round < 300; ++round) {
    const TempFolder scratch;
    const std::string file = scratch.path() / "damaged.db";
    fs::copy_file(sound, file);
    for (int flips = 0; flips < 1 + round % 20; ++flips) {
      const auto at = round % 3 == 0 ? random() % 4096 : random() % size;  // the header's page, too
      std::ifstream in(file, std::ios::binary);
      in.seekg(at);
      const char byte = static_cast<char>(in.get() ^ (1 << random() % 8));
      in.close();
      overwrite(file, at, std::string(1, byte));
    }
    const auto intact = readable(file);
    const auto payloads = salvaged(scratch, file);
    const std::set<std::string> found(payloads.begin(), payloads.end());
    CAPTURE(round);
    for (const auto& payload : intact) CHECK(found.contains(payload));
    for (const auto& payload : found) {
      bool is_ours = false;
      for (std::int64_t id = 1; id <= 60 && !is_ours; ++id) is_ours = payload == payload_of(id);
      CHECK(is_ours);
    }
  }
}

TEST_CASE("Numbers up to the last there is are no reason to search beyond it") {
  const TempFolder folder;
  const std::string file = make_database(folder, 500);
  Sqlite(file, SQLITE_OPEN_READWRITE).run("UPDATE records SET id = id + 9223372036854775307 WHERE id > 0");
  overwrite(file, fs::file_size(file) / 2 / 4096 * 4096, std::string(4096, '\x5a'));
  CHECK_FALSE(salvaged(folder, file).empty());  // debug: no overflow
}

TEST_CASE("Nothing comes of what is no database, or is not there") {
  const TempFolder folder;
  CHECK(salvaged(folder, folder.write("text.db", "a text\n")).empty());
  CHECK(salvaged(folder, folder.write("empty.db", "")).empty());
}

TEST_CASE("A damaged file is put aside under a dated name with its log, and only the last two are kept") {
  const TempFolder folder;
  const std::string file = folder.path() / "outbox.db";
  std::string last;
  for (int i = 0; i < 5; ++i) {
    folder.write("outbox.db", std::to_string(i));
    folder.write("outbox.db-wal", "log " + std::to_string(i));
    last = set_aside(file);
    CHECK_FALSE(fs::exists(file));
    CHECK(fs::exists(last));
    CHECK(fs::exists(last + "-wal"));
  }
  CHECK_THAT(last, ContainsSubstring("outbox.db.damaged-20"));
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    (void)entry;
    ++files;
  }
  CHECK(files == 4);
  CHECK_THROWS_AS(set_aside(file), DatabaseError);
}
