// A file of any content where the outbox should be: used, or put aside with what can be read taken over, as
// the outbox's thread does it. The input is the file, and from a write-ahead log's magic number on its log.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <random>
#include <string_view>

#include "../unit/temp_folder.hpp"
#include "core/file_descriptor.hpp"
#include "fuzz.hpp"
#include "telemetry/outbox/salvage.hpp"

using namespace glimpse;

namespace {

constexpr std::uint64_t max_bytes = 1'000'000;
constexpr std::int64_t no_end = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view log_magic = "\x37\x7f\x06";

void write_file(const std::string& name, std::string_view bytes) {
  const FileDescriptor file(open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  expect(write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
         "there is room");
}

void expect_sound(Database& database) {
  expect(database.dropped() <= static_cast<std::uint64_t>(no_end), "nobody dropped so many");
  std::uint64_t rows = 0;
  std::int64_t last = 0;
  for (auto row = database.next(0, no_end); row; row = database.next(row->id, no_end)) {
    expect(row->id > last, "the order of acceptance");
    last = row->id;
    ++rows;
  }
  expect(rows == database.rows(), "every row is there to be sent");
  expect(last == database.last_id(), "a new record comes after all others");
  Database::Change change;
  change.insert = {{last + 1, 1, "new"}};
  change.erase = {last};
  change.oldest_ms = no_end;
  database.commit(change);
}

/// False where it is damaged, the only trouble that a healthy disk may have.
bool use(const std::string& file) {
  try {
    Database database(file, max_bytes, false);
    database.verify();
    expect_sound(database);
    return true;
  } catch (const DatabaseError& error) {
    if (error.kind() != DatabaseError::Kind::damaged) std::fprintf(stderr, "%s\n", error.what());
    expect(error.kind() == DatabaseError::Kind::damaged, "a damaged file is known as one, so it is mended");
    return false;
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

/// libFuzzer's own mutations mostly move what follows, which leaves little of a database: every other time a
/// few bits flip where they are.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  std::minstd_rand random(seed);
  if (size == 0 || random() % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  for (unsigned long flips = 1 + random() % 4; flips > 0; --flips)
    data[random() % size] ^= static_cast<std::uint8_t>(1u << random() % 8);
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TempFolder folder;
  static const std::string file = folder.path() / "outbox.db";
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t log_at = input.find(log_magic);
  write_file(file, input.substr(0, log_at));
  std::filesystem::remove(file + "-wal");
  if (log_at != std::string_view::npos) write_file(file + "-wal", input.substr(log_at));
  if (use(file)) return 0;

  const std::string damaged = set_aside(file);
  Database fresh(file, max_bytes, false);
  fresh.verify();
  const Salvage found = salvage(damaged, fresh, 1000);
  expect(found.rows == fresh.rows(), "what is said to be taken over is there");
  expect_sound(fresh);
  return 0;
}
