// The outbox's own thread: all that changes the disk.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>

#include "core/text.hpp"
#include "core/unix_time.hpp"
#include "telemetry/outbox/outbox.hpp"
#include "telemetry/outbox/salvage.hpp"

namespace glimpse {
namespace {

using namespace std::chrono_literals;
using Kind = DatabaseError::Kind;

constexpr std::size_t batch_records = 64, batch_bytes = 256 << 10;
constexpr std::size_t worth_erasing = 8;  // at once; with fewer the next record's commit is waited for

}  // namespace

void Outbox::write(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    work();
    std::unique_lock lock(mutex_);
    while (!has_work(Steady::now()) && !stop.stop_requested()) {
      // A signal may bring the deadline forward.
      wake_.wait_until(lock, stop, next_deadline(), [this, seen = signals_] { return signals_ != seen; });
    }
  }
  const auto left = [this] {
    const std::lock_guard lock(mutex_);
    return trouble_.empty() && (!staged_.empty() || !order_.to_erase().empty());
  };
  {
    const std::lock_guard lock(mutex_);
    for (Staged& staged : staged_) staged.on_wire = false;  // no link any more
  }
  do work();
  while (left());
}

Steady::time_point Outbox::next_deadline() const {
  if (!trouble_.empty()) return retry_at_;
  auto next = Steady::now() + 1h;
  if (unsynced_) next = std::min(next, synced_at_ + settings_.sync);
  if (!order_.to_erase().empty()) next = std::min(next, erase_at_);
  return next;
}

bool Outbox::has_work(Steady::time_point now) const {
  if (read_error_) return true;
  if (!trouble_.empty()) {
    return now >= retry_at_ ||
           std::any_of(staged_.begin(), staged_.end(), [](const Staged& it) { return !it.shown; });
  }
  return std::any_of(staged_.begin(), staged_.end(), [](const Staged& it) { return !it.on_wire; }) ||
         order_.to_erase().size() >= worth_erasing || (!order_.to_erase().empty() && now >= erase_at_) ||
         (unsynced_ && now >= synced_at_ + settings_.sync);
}

void Outbox::work() {
  const Step step(*pulse_);
  {
    const std::lock_guard lock(mutex_);
    work_began_ = Steady::now();
  }
  Batch batch;
  if (!is_waiting_for_retry()) {
    const std::lock_guard disk(disk_);
    try {
      open_and_verify();
      batch = next_batch();
      commit(batch);
      sync_if_due();
      if (batch.committed) note_working();
    } catch (const DatabaseError& error) {
      put_back(batch);
      mend(error);
    }
  }
  show(batch);
  tell_of_change();
}

bool Outbox::is_waiting_for_retry() const {
  const std::lock_guard lock(mutex_);
  return !trouble_.empty() && !read_error_ && Steady::now() < retry_at_;
}

Steady::duration Outbox::time_to_read() const {
  return std::chrono::microseconds(settings_.max_bytes);
}

void Outbox::open_and_verify() {
  {
    const std::lock_guard lock(mutex_);
    if (const auto error = std::exchange(read_error_, std::nullopt)) throw DatabaseError(*error);
    if (verified_) return;
  }
  pulse_->beat(time_to_read());
  if (!database_)
    database_ = std::make_unique<Database>(settings_.file, settings_.max_bytes, settings_.sync.count() == 0);
  database_->verify();
  pulse_->beat();
  const std::lock_guard lock(mutex_);
  verified_ = true;
  note_counts();
}

void Outbox::note_counts() {
  rows_ = database_->rows();
  dropped_ = database_->dropped();
  last_id_ = std::max(last_id_, database_->last_id());
}

Outbox::Batch Outbox::next_batch() {
  const std::lock_guard lock(mutex_);
  Batch batch;
  batch.change.erase.assign(order_.to_erase().begin(), order_.to_erase().end());
  batch.change.keep = order_.unacknowledged();
  batch.change.dropped = uncounted_;
  if (const std::int64_t now = unix_ms(); now >= Database::first_trusted_ms)
    batch.change.oldest_ms = now - std::chrono::milliseconds(settings_.max_age).count();
  std::size_t bytes = 0;
  for (auto it = staged_.begin(); it != staged_.end() && batch.staged.size() < batch_records;) {
    if (it->on_wire) {
      ++it;  // its acknowledgement is due
      continue;
    }
    if (bytes > 0 && bytes + it->payload.size() > batch_bytes) break;
    bytes += it->payload.size();
    staged_bytes_ -= it->payload.size();
    batch.staged.push_back(std::move(*it));
    it = staged_.erase(it);
  }
  settled_.notify_all();  // there is room
  committing_ = batch.staged.size();
  for (std::size_t i = 0; i < committing_; ++i) {
    const Staged& staged = batch.staged[i];
    batch.change.insert.push_back(
        {last_id_ + 1 + static_cast<std::int64_t>(i), staged.record.time_ms, staged.payload});
  }
  return batch;
}

void Outbox::commit(Batch& batch) {
  const Database::Change& change = batch.change;
  if (change.erase.empty() && change.insert.empty() && change.dropped == 0) return;
  database_->commit(change);
  batch.committed = true;
  const std::lock_guard lock(mutex_);
  note_counts();
  order_.erased(change.erase);
  uncounted_ -= change.dropped;
  committing_ = 0;
  showing_ = !change.insert.empty();
  unsynced_ = unsynced_ || (showing_ && settings_.sync.count() > 0);
}

void Outbox::put_back(Batch& batch) {
  if (batch.committed) return;
  const std::lock_guard lock(mutex_);
  std::for_each(batch.staged.rbegin(), batch.staged.rend(), [this](Staged& staged) {
    staged_bytes_ += staged.payload.size();
    staged_.push_front(std::move(staged));
  });
  batch.staged.clear();
  committing_ = 0;
}

void Outbox::sync_if_due() {
  {
    const std::lock_guard lock(mutex_);
    if (!unsynced_ || Steady::now() < synced_at_ + settings_.sync) return;
  }
  database_->sync();
  const std::lock_guard lock(mutex_);
  unsynced_ = false;
  synced_at_ = Steady::now();
}

void Outbox::mend(const DatabaseError& error) {
  try {
    // One that is damaged again at once is no matter of the file.
    if (error.kind() == Kind::damaged && Steady::now() >= replaced_at_ + settings_.retry)
      return replace_damaged(error.what());
    if (error.kind() != Kind::full) forget_database();  // opened anew: the medium may have gone and come back
    note_trouble(error.what());
  } catch (const DatabaseError& second) {
    forget_database();
    note_trouble(second.what());
  }
}

void Outbox::forget_database() {
  database_.reset();
  const std::lock_guard lock(mutex_);
  verified_ = false;
}

void Outbox::replace_damaged(const std::string& what) {
  pulse_->beat(time_to_read());
  forget_database();
  replaced_at_ = Steady::now();
  const std::string name = set_aside(settings_.file);
  auto fresh = std::make_unique<Database>(settings_.file, settings_.max_bytes, settings_.sync.count() == 0);
  fresh->verify();
  std::int64_t last_id = 0;
  {
    const std::lock_guard lock(mutex_);
    last_id = last_id_;
  }
  const Salvage found = salvage(name, *fresh, last_id);
  spdlog::warn(
      "outbox: '{}' was damaged ({}): it is kept as '{}', and a new one is begun with the {} records that "
      "could be "
      "read ({} more were not as they had been stored)",
      escape_control(settings_.file), what, escape_control(name), found.rows, found.lost);
  database_ = std::move(fresh);
  const std::lock_guard lock(mutex_);
  verified_ = true;
  note_counts();
  order_.begin_session(last_id_, rows_);  // the numbers are new
}

void Outbox::note_trouble(const std::string& what) {
  const std::lock_guard lock(mutex_);
  retry_at_ = Steady::now() + settings_.retry;
  if (std::exchange(trouble_, what) == what) return;
  spdlog::warn(
      "outbox: '{}' cannot be written ({}): the newest records, at most 1 MiB, are kept in memory until it "
      "can; see "
      "df and ls -l",
      escape_control(settings_.file), what);
}

void Outbox::note_working() {
  const std::lock_guard lock(mutex_);
  if (trouble_.empty()) return;
  trouble_.clear();
  spdlog::info("outbox: '{}' is written again", escape_control(settings_.file));
}

void Outbox::show(Batch& batch) {
  std::vector<Record> unshown;
  for (Staged& staged : batch.staged) {
    if (!staged.shown) unshown.push_back(std::move(staged.record));
  }
  {
    const std::lock_guard lock(mutex_);
    for (Staged& staged : staged_) {
      // In trouble there is nothing to wait for.
      if (trouble_.empty() || std::exchange(staged.shown, true)) continue;
      unshown.push_back(staged.record);
    }
    showing_ = true;
  }
  if (shown_ != nullptr) {
    for (const Record& record : unshown) shown_->accept(record);
  }
  const std::lock_guard lock(mutex_);
  showing_ = false;
  settled_.notify_all();
}

}  // namespace glimpse
