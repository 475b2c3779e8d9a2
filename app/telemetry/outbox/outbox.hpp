// Records that were accepted and have not arrived yet. Accepted means: committed to a file that outlives a
// crash.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/pulse.hpp"
#include "core/waiting.hpp"
#include "telemetry/outbox/database.hpp"
#include "telemetry/outbox/sending_order.hpp"
#include "telemetry/sink.hpp"

namespace glimpse {

struct OutboxSettings {
  std::string file;
  std::uint64_t max_bytes = 64'000'000;      // of the file; when full the oldest go, counted
  std::chrono::seconds max_age{30 * 86400};  // what is older goes, counted
  std::chrono::milliseconds sync{1000};      // at most so much is lost by a power cut; 0: nothing
  Drain drain = Drain::newest;
  std::chrono::milliseconds retry{1000};  // of a disk that takes nothing
};

/// A thread of its own writes to the disk, so that accept() never waits for one. While the disk takes nothing
/// (full, broken), records stay in memory and are sent from there; every second it is tried again.
class Outbox : public Sink {
 public:
  static constexpr std::size_t max_memory_bytes =
      1 << 20;  // not committed yet; when full the oldest go, counted

  struct Outgoing {
    std::int64_t id = 0;
    std::string payload;
    bool again = false;  // sent before, in an earlier session of this run
  };
  struct Counts {
    std::uint64_t pending = 0;  // accepted and not acknowledged
    std::uint64_t dropped =
        0;  // gone unsent for want of room, too old, or damaged on the medium; since the file was made
  };

  /// `shown` gets each record once it is committed, in order; null: nobody. Throws Error(configuration) where
  /// another process has the file. A disk that takes nothing, or a damaged file, is no error: it is mended as
  /// described.
  Outbox(OutboxSettings settings, Sink* shown);
  /// Commits what it can at once.
  ~Outbox() override;

  /// With max_memory_bytes full it waits: for `shown`, and for a disk that is busy for 1 s at most.
  void accept(const Record& record) override;
  /// Waits until all that was accepted is committed and shown. False: the limit passed, or the disk takes
  /// nothing.
  bool flush(Steady::duration limit);

  /// For the publisher. What was sent and not acknowledged is due again.
  void begin_session();
  /// The next record to send; none while none waits, or while 20 are on their way.
  [[nodiscard]] std::optional<Outgoing> take();
  /// The broker has it: it goes. False for an id that is not on its way.
  bool acknowledge(std::int64_t id);
  [[nodiscard]] Counts counts() const;
  /// Called, from another thread, whenever there may be more to take(). Null: no longer.
  void set_on_change(std::function<void()> on_change);

  /// Of the thread that writes. Reading the whole file, to check or to salvage it, may take as long as that
  /// takes at 1 MB/s.
  [[nodiscard]] std::shared_ptr<const Pulse> pulse() const { return pulse_; }

 private:
  struct Staged {
    std::int64_t id;  // negative, while it is in memory alone
    Record record;
    std::string payload;
    bool shown = false, on_wire = false, sent = false;
  };

  struct Batch {
    Database::Change change;
    std::vector<Staged> staged;  // of change.insert
    bool committed = false;
  };

  // The writing thread: outbox_writer.cpp.
  void write(const std::stop_token& stop);
  void work();
  [[nodiscard]] Steady::time_point next_deadline() const;
  [[nodiscard]] bool has_work(Steady::time_point now) const;
  [[nodiscard]] bool is_waiting_for_retry() const;
  [[nodiscard]] Steady::duration time_to_read() const;
  void open_and_verify();
  void note_counts();
  [[nodiscard]] Batch next_batch();
  void commit(Batch& batch);
  void put_back(Batch& batch);
  void sync_if_due();
  void mend(const DatabaseError& error);
  void forget_database();
  void replace_damaged(const std::string& what);
  void note_trouble(const std::string& what);
  void note_working();
  void show(Batch& batch);

  [[nodiscard]] std::optional<Outgoing> take_from_disk();
  [[nodiscard]] std::optional<Outgoing> take_from_memory();
  [[nodiscard]] bool may_drop() const;
  void tell_of_change();
  void wake_writer();  // with mutex_ held

  const OutboxSettings settings_;
  Sink* const shown_;
  const std::shared_ptr<Pulse> pulse_ = std::make_shared<Pulse>("outbox");

  std::mutex disk_;  // guards database_; taken before mutex_
  std::unique_ptr<Database> database_;
  Steady::time_point replaced_at_{};  // the writing thread's own

  mutable std::mutex mutex_;  // guards all below; never held while the disk works
  std::condition_variable_any wake_, settled_;
  std::uint64_t signals_ = 0;     // to the writing thread
  std::deque<Staged> staged_;     // not committed
  std::size_t staged_bytes_ = 0;  // of payload
  std::size_t committing_ = 0;    // records in a batch that is neither here nor there
  bool showing_ = false, verified_ = false, unsynced_ = false;
  std::int64_t last_memory_id_ = 0;  // falling
  std::int64_t last_id_ = 0;
  std::uint64_t rows_ = 0, dropped_ = 0;
  std::uint64_t uncounted_ = 0;  // dropped, and not yet in the file's count
  SendingOrder order_;
  std::optional<DatabaseError> read_error_;
  std::string trouble_;  // why the disk takes nothing; "": it does
  Steady::time_point retry_at_{}, synced_at_{}, erase_at_{}, work_began_{};

  std::mutex listener_;  // guards on_change_
  std::function<void()> on_change_;

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace glimpse
