#include "telemetry/outbox/outbox.hpp"

#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "captured_log.hpp"
#include "catch.hpp"
#include "core/error.hpp"
#include "temp_folder.hpp"

using namespace glimpse;
using namespace std::chrono_literals;

namespace {

Record record(std::uint64_t seq, std::size_t size = 0) {
  Record made;
  made.device = "thing";
  made.seq = seq;
  made.time_ms = 1'732'262'400'000 + static_cast<std::int64_t>(seq);
  for (std::size_t i = 0; i < size / 300; ++i) made.predictions.push_back({0, std::string(250, 'x'), 0.1});
  return made;
}

std::uint64_t seq_of(const std::string& payload) {
  return nlohmann::json::parse(payload)["seq"];
}

class Shown : public Sink {
 public:
  void accept(const Record& record) override {
    std::unique_lock lock(mutex);
    seqs.push_back(record.seq);
    changed.notify_all();
    changed.wait(lock, [this] { return !held; });
  }
  template <typename Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 60s, condition);
  }
  void hold(bool on) {
    const std::lock_guard lock(mutex);
    held = on;
    changed.notify_all();
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::uint64_t> seqs;
  bool held = false;
};

OutboxSettings in(const TempFolder& folder, Drain drain = Drain::fifo) {
  OutboxSettings settings;
  settings.file = folder.path() / "outbox.db";
  settings.drain = drain;
  settings.max_age = std::chrono::hours(24 * 365 * 100);
  return settings;
}

/// Takes and acknowledges until nothing is left.
std::vector<std::uint64_t> drain(Outbox& outbox) {
  std::vector<std::uint64_t> seqs;
  const auto deadline = Steady::now() + 60s;
  while (outbox.counts().pending > 0 && Steady::now() < deadline) {
    if (const auto next = outbox.take()) {
      seqs.push_back(seq_of(next->payload));
      CHECK(outbox.acknowledge(next->id));
    }
  }
  CHECK(outbox.counts().pending == 0);
  return seqs;
}

std::vector<std::uint64_t> one_to(std::uint64_t last) {
  std::vector<std::uint64_t> list;
  for (std::uint64_t i = 1; i <= last; ++i) list.push_back(i);
  return list;
}

/// A disk without room, as far as this process goes: no file may grow beyond what it is (RLIMIT_FSIZE).
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*old_handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("What was accepted outlives the process, and goes out in order") {
  const TempFolder folder;
  {
    Outbox outbox(in(folder), nullptr);
    for (int i = 1; i <= 100; ++i) outbox.accept(record(i));
    CHECK(outbox.flush(60s));
    CHECK(outbox.counts().pending == 100);
  }
  Outbox again(in(folder), nullptr);
  REQUIRE(again.flush(60s));
  again.begin_session();
  while (again.counts().pending != 100) std::this_thread::yield();
  CHECK(drain(again) == one_to(100));
}

TEST_CASE("A record is shown once it is committed, never before, in order") {
  const TempFolder folder;
  Shown shown;
  Outbox outbox(in(folder), &shown);
  for (int i = 1; i <= 50; ++i) outbox.accept(record(i));
  CHECK(outbox.flush(60s));
  CHECK(shown.seqs == one_to(50));
  // Each one that is shown can be read from the file by a process that comes after a crash: it is in the log
  // on disk.
  Sqlite reader((folder.path() / "outbox.db").string(), SQLITE_OPEN_READONLY);
  CHECK(std::filesystem::file_size(folder.path() / "outbox.db-wal") > 0);
}

TEST_CASE("A reader of standard output that does not read holds records back, and loses none") {
  const TempFolder folder;
  Shown shown;
  shown.hold(true);
  Outbox outbox(in(folder), &shown);
  std::atomic<std::uint64_t> accepted = 0;
  std::jthread producer([&] {
    for (; accepted < 60; ++accepted) outbox.accept(record(accepted + 1, 60'000));  // far more than fit
  });
  REQUIRE(shown.wait([&] { return !shown.seqs.empty(); }));
  const auto deadline = Steady::now() + 200ms;  // for what must not happen
  while (accepted < 60 && Steady::now() < deadline) std::this_thread::yield();
  CHECK(accepted < 60);
  shown.hold(false);
  producer.join();
  CHECK(outbox.flush(60s));
  CHECK(shown.seqs == one_to(60));
  CHECK(outbox.counts().dropped == 0);
}

TEST_CASE("A second outbox on the same file is refused in words, a file of another name is not") {
  const TempFolder folder;
  Outbox outbox(in(folder), nullptr);
  try {
    Outbox second(in(folder), nullptr);
    FAIL("it was let in");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::configuration);
    CHECK_THAT(error.what(), ContainsSubstring("in use by another process") && ContainsSubstring("--state"));
  }
  OutboxSettings other = in(folder);
  other.file += "2";
  CHECK_NOTHROW(Outbox(other, nullptr));
}

TEST_CASE("What is acknowledged is gone for good; what is not comes again in the next session, marked") {
  const TempFolder folder;
  {
    Outbox outbox(in(folder), nullptr);
    for (int i = 1; i <= 30; ++i) outbox.accept(record(i));
    REQUIRE(outbox.flush(60s));
    outbox.begin_session();
    std::vector<Outbox::Outgoing> sent;
    while (auto next = outbox.take()) sent.push_back(*next);
    REQUIRE(sent.size() == 20);
    CHECK_FALSE(sent[0].again);
    CHECK(outbox.acknowledge(sent[4].id));
    CHECK_FALSE(outbox.acknowledge(sent[4].id));
    CHECK(outbox.counts().pending == 29);
    outbox.begin_session();
    const auto first = outbox.take();
    REQUIRE(first);
    CHECK(first->id == sent[0].id);
    CHECK(first->again);
  }
  Outbox again(in(folder), nullptr);
  again.begin_session();
  while (again.counts().pending != 29) std::this_thread::yield();
  auto expected = one_to(30);
  expected.erase(expected.begin() + 4);
  CHECK(drain(again) == expected);
}

TEST_CASE("What is on its way is not dropped when the bound is reached, since it may have arrived") {
  const TempFolder folder;
  OutboxSettings small = in(folder);
  small.max_bytes = 1'000'000;
  Outbox outbox(small, nullptr);
  outbox.accept(record(1));
  REQUIRE(outbox.flush(60s));
  outbox.begin_session();
  const auto first = outbox.take();
  REQUIRE(first);
  constexpr std::uint64_t count = 1500;
  for (std::uint64_t seq = 2; seq <= count; ++seq) {
    outbox.accept(record(seq, 900));
    if (seq % 100 == 0) REQUIRE(outbox.flush(60s));
  }
  REQUIRE(outbox.flush(60s));
  CHECK(outbox.counts().dropped > 100);
  outbox.begin_session();
  const auto again = outbox.take();
  REQUIRE(again);
  CHECK(seq_of(again->payload) == 1);
  CHECK(outbox.acknowledge(again->id));
  CHECK(drain(outbox).size() + 1 + outbox.counts().dropped == count);
}

TEST_CASE(
    "While the disk is full records are kept in memory and sent from there; it is said once, and mends "
    "itself") {
  const TempFolder folder;
  const CapturedLog log;
  Shown shown;
  OutboxSettings impatient = in(folder);
  impatient.retry = 5ms;
  Outbox outbox(impatient, &shown);
  outbox.accept(record(1));
  REQUIRE(outbox.flush(60s));
  const auto wal = std::filesystem::file_size(folder.path() / "outbox.db-wal");
  {
    const FullDisk full(wal);
    for (int i = 2; i <= 10; ++i) outbox.accept(record(i));
    REQUIRE(shown.wait([&] { return shown.seqs.size() == 10; }));
    CHECK_FALSE(outbox.flush(60s));
    CHECK(outbox.counts().pending == 10);
    outbox.begin_session();
    // It is tried again and again, and said once.
    const auto deadline = Steady::now() + 100ms;
    while (Steady::now() < deadline) std::this_thread::yield();
    // From memory first: there the room is scarce.
    for (std::uint64_t seq = 2; seq <= 4; ++seq) {
      const auto next = outbox.take();
      REQUIRE(next);
      CHECK(seq_of(next->payload) == seq);
      CHECK(outbox.acknowledge(next->id));
    }
    CHECK(outbox.counts().pending == 7);
  }
  const auto deadline = Steady::now() + 5s;
  while (!outbox.flush(1s) && Steady::now() < deadline) {
  }
  CHECK(outbox.flush(0s));
  CHECK(log.count("cannot be written") == 1);
  CHECK(log.count("is written again") == 1);
  outbox.begin_session();
  CHECK(drain(outbox) == std::vector<std::uint64_t>{1, 5, 6, 7, 8, 9, 10});
  CHECK(shown.seqs == one_to(10));
}

TEST_CASE("The memory that stands in for a full disk is bounded: the oldest go, counted") {
  const TempFolder folder;
  OutboxSettings impatient = in(folder);
  impatient.retry = 5ms;
  auto outbox = std::make_unique<Outbox>(impatient, nullptr);
  outbox->accept(record(1));
  REQUIRE(outbox->flush(60s));
  constexpr int count = 60;
  {
    const FullDisk full(std::filesystem::file_size(folder.path() / "outbox.db-wal"));
    for (int i = 2; i <= count; ++i) outbox->accept(record(i, 60'000));
    const auto counts = outbox->counts();
    CHECK(counts.dropped > 0);
    CHECK(counts.pending + counts.dropped == count);
    CHECK(counts.pending * 60'000 < Outbox::max_memory_bytes + 120'000);
  }
  const auto deadline = Steady::now() + 60s;
  while (!outbox->flush(1s) && Steady::now() < deadline) {
  }
  const auto dropped = outbox->counts().dropped;
  outbox = nullptr;
  outbox = std::make_unique<Outbox>(impatient, nullptr);
  while (outbox->counts().pending == 0) std::this_thread::yield();
  CHECK(outbox->counts().dropped == dropped);  // the next run knows
  outbox->begin_session();
  const auto seqs = drain(*outbox);
  CHECK(seqs.size() + dropped == count);
  CHECK(seqs.back() == count);
}

TEST_CASE("A damaged file is set aside, reported, and what can be read of it goes out") {
  const TempFolder folder;
  {
    Outbox outbox(in(folder), nullptr);
    for (int i = 1; i <= 300; ++i) outbox.accept(record(i, 900));
    REQUIRE(outbox.flush(60s));
  }
  const std::string file = folder.path() / "outbox.db";
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file) / 2 / 4096 * 4096));
    bytes << std::string(4096, 'Z');
  }
  const CapturedLog log;
  Outbox outbox(in(folder), nullptr);
  outbox.accept(record(301));
  REQUIRE(outbox.flush(60s));
  CHECK(log.count("was damaged") == 1);
  outbox.begin_session();
  const auto seqs = drain(outbox);
  CHECK(seqs.size() >= 290);
  CHECK(seqs.front() == 1);
  CHECK(seqs.back() == 301);
  CHECK(std::is_sorted(seqs.begin(), seqs.end()));
}

TEST_CASE("A file that is no database is set aside, and a new one begun") {
  const TempFolder folder;
  folder.write("outbox.db", "text in its place\n");
  Outbox outbox(in(folder), nullptr);
  outbox.accept(record(1));
  CHECK(outbox.flush(60s));
  outbox.begin_session();
  CHECK(drain(outbox) == one_to(1));
}

TEST_CASE("Whoever waits for something to send is told") {
  const TempFolder folder;
  Outbox outbox(in(folder), nullptr);
  std::mutex mutex;
  std::condition_variable changed;
  bool has_one = false;
  outbox.begin_session();
  outbox.set_on_change([&] {
    const std::lock_guard lock(mutex);
    has_one = has_one || outbox.counts().pending > 0;
    changed.notify_all();
  });
  outbox.accept(record(1));
  std::unique_lock lock(mutex);
  CHECK(changed.wait_for(lock, 60s, [&] { return has_one; }));
  lock.unlock();
  outbox.set_on_change(nullptr);
}

TEST_CASE("The writing thread is busy while what it shows is not read, and at rest otherwise") {
  const TempFolder folder;
  Shown shown;
  shown.hold(true);
  Outbox outbox(in(folder), &shown);
  const auto busy = [&] { return outbox.pulse()->busy_for(Steady::now()).has_value(); };
  outbox.accept(record(1));
  REQUIRE(shown.wait([&] { return shown.seqs.size() == 1; }));
  CHECK(busy());
  shown.hold(false);
  REQUIRE(outbox.flush(60s));
  for (const auto until = Steady::now() + 60s; busy() && Steady::now() < until;) std::this_thread::yield();
  CHECK_FALSE(busy());
}
