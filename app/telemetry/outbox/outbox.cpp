#include "telemetry/outbox/outbox.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

constexpr auto erase_delay = std::chrono::seconds(1);  // so that it can share the next record's commit

constexpr auto busy_limit = std::chrono::seconds(1);

}  // namespace

Outbox::Outbox(OutboxSettings settings, Sink* shown)
    : settings_(std::move(settings)), shown_(shown), order_(settings_.drain) {
  try {
    database_ = std::make_unique<Database>(settings_.file, settings_.max_bytes, settings_.sync.count() == 0);
  } catch (const DatabaseError& error) {
    if (error.kind() == DatabaseError::Kind::in_use) {
      throw Error(ExitCode::configuration,
                  "the outbox '" + escape_control(settings_.file) +
                      "' is in use by another process; stop the other glimpse, or give this "
                      "one a folder of its own with --state");
    }
    read_error_ = error;  // the thread mends it
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { write(stop); });
}

Outbox::~Outbox() {
  thread_.request_stop();
  thread_.join();
}

void Outbox::accept(const Record& record) {
  std::string payload = to_json(record);
  std::unique_lock lock(mutex_);
  const auto is_full = [&] { return staged_bytes_ + payload.size() > max_memory_bytes; };
  while (is_full() && !may_drop()) settled_.wait_for(lock, busy_limit);
  while (is_full()) {
    const auto oldest =
        std::find_if(staged_.begin(), staged_.end(), [](const Staged& it) { return !it.on_wire; });
    if (oldest == staged_.end()) break;
    staged_bytes_ -= oldest->payload.size();
    staged_.erase(oldest);
    ++uncounted_;
  }
  staged_bytes_ += payload.size();
  staged_.push_back({--last_memory_id_, record, std::move(payload)});
  wake_writer();
}

/// A disk that has been busy for a second, or takes nothing, holds nobody up any longer; a reader of standard
/// output may.
bool Outbox::may_drop() const {
  return !showing_ && (!trouble_.empty() || Steady::now() >= work_began_ + busy_limit);
}

bool Outbox::flush(Steady::duration limit) {
  std::unique_lock lock(mutex_);
  const auto settled = [this] { return staged_.empty() && committing_ == 0 && !showing_; };
  settled_.wait_for(lock, limit, [&] { return settled() || !trouble_.empty(); });
  return settled();
}

void Outbox::begin_session() {
  const std::lock_guard lock(mutex_);
  order_.begin_session(last_id_, rows_);
  for (Staged& staged : staged_) staged.on_wire = false;
  wake_writer();
}

std::optional<Outbox::Outgoing> Outbox::take() {
  // In trouble the newest are in memory, and room there is scarce.
  if (auto record = take_from_memory()) return record;
  return take_from_disk();
}

std::optional<Outbox::Outgoing> Outbox::take_from_memory() {
  const std::lock_guard lock(mutex_);
  if (trouble_.empty()) return std::nullopt;
  const auto on_wire =
      std::count_if(staged_.begin(), staged_.end(), [](const Staged& it) { return it.on_wire; });
  if (static_cast<std::size_t>(on_wire) + order_.on_wire() >= SendingOrder::window) return std::nullopt;
  for (Staged& staged : staged_) {
    if (staged.on_wire) continue;
    staged.on_wire = true;
    return Outgoing{staged.id, staged.payload, std::exchange(staged.sent, true)};
  }
  return std::nullopt;
}

std::optional<Outbox::Outgoing> Outbox::take_from_disk() {
  const std::lock_guard disk(disk_);
  std::unique_lock lock(mutex_);
  if (!database_ || !verified_ || read_error_) return std::nullopt;
  for (auto range : order_.next()) {
    while (true) {
      lock.unlock();
      std::optional<StoredRecord> found;
      std::optional<DatabaseError> error;
      try {
        found = database_->next(range.after, range.until);
      } catch (const DatabaseError& thrown) {
        error = thrown;
      }
      lock.lock();
      if (error) {
        read_error_ = error;
        wake_writer();
        return std::nullopt;
      }
      if (!found) {
        order_.skip(range);
        break;
      }
      range.after = found->id;
      if (order_.is_busy(found->id)) continue;
      if (!found->payload.empty())
        return Outgoing{found->id, std::move(found->payload), order_.sent(found->id)};
      spdlog::warn(
          "outbox: a record in '{}' is not as it was stored (the medium may be failing); it is dropped",
          escape_control(settings_.file));
      order_.erase_unsent(found->id);
      ++uncounted_;
      wake_writer();
    }
  }
  return std::nullopt;
}

bool Outbox::acknowledge(std::int64_t id) {
  const std::lock_guard lock(mutex_);
  if (id >= 0) {
    if (order_.to_erase().empty()) erase_at_ = Steady::now() + erase_delay;
    if (!order_.acknowledged(id)) return false;
  } else {
    const auto staged =
        std::find_if(staged_.begin(), staged_.end(), [id](const Staged& it) { return it.id == id; });
    if (staged == staged_.end() || !staged->on_wire) return false;
    staged_bytes_ -= staged->payload.size();
    staged_.erase(staged);
  }
  wake_writer();
  return true;
}

Outbox::Counts Outbox::counts() const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t held = rows_ + staged_.size() + committing_;
  return {held - std::min<std::uint64_t>(held, order_.to_erase().size()), dropped_ + uncounted_};
}

void Outbox::set_on_change(std::function<void()> on_change) {
  const std::lock_guard lock(listener_);
  on_change_ = std::move(on_change);
}

void Outbox::wake_writer() {
  ++signals_;
  wake_.notify_all();
}

void Outbox::tell_of_change() {
  const std::lock_guard lock(listener_);
  if (on_change_) on_change_();
}

}  // namespace glimpse
