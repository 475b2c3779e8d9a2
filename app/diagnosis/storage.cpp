#include "diagnosis/storage.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "diagnosis/user.hpp"
#include "telemetry/outbox/inspection.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t full = 1'000'000;  // bytes: less, and SQLite soon finds no room for a page

std::string megabytes(std::uint64_t bytes) {
  return std::to_string(bytes / 1'000'000) + " MB";
}

/// The folder, or where it would be made. A link that leads nowhere is no place to make one.
fs::path existing(fs::path folder) {
  std::error_code ignored;
  folder = fs::absolute(folder, ignored);
  while (!fs::exists(fs::symlink_status(folder, ignored)) && folder.has_parent_path() &&
         folder != folder.parent_path())
    folder = folder.parent_path();
  return folder;
}

std::uint64_t size_of(const std::string& file) {
  struct stat status {};
  return stat(file.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::string who(const Running& running) {
  return "glimpse run" + (running.pid > 0 ? ", pid " + std::to_string(running.pid) : std::string());
}

}  // namespace

Check check_state_folder(const std::string& folder) {
  const char* const name = "state folder";
  const char* const another = "name another one with --state";
  if (folder.empty()) return Check::fail(name, "no HOME to have it in", another, ExitCode::configuration);
  std::error_code ignored;
  const fs::path there = existing(folder);
  const bool is_there = fs::exists(folder, ignored);
  if (!fs::is_directory(there, ignored))
    return Check::fail(name, there.string() + " is no folder", another, ExitCode::configuration);
  if (access(there.c_str(), R_OK | W_OK | X_OK) != 0)
    return Check::fail(name, there.string() + ": " + std::strerror(errno), another, ExitCode::configuration);
  return Check::ok(name, folder + (is_there ? "" : ", which the first run will make"));
}

Check judge_disk(std::uint64_t free, std::uint64_t used, std::uint64_t most, const std::string& folder) {
  const std::string text = megabytes(free) + " free for " + folder;
  if (free < full)
    return Check::warn("disk", text + ": records stay in memory", "make room: sudo apt clean; df -h");
  if (free + used >= most) return Check::ok("disk", text);
  return Check::warn("disk", text + ", and the outbox may want " + megabytes(most - used) + " more",
                     "make room, or set outbox.max_mb to " +
                         std::to_string(std::max<std::uint64_t>((free + used) / 2'000'000, 1)));
}

Check check_disk(const OutboxPlace& place) {
  struct statvfs disk {};
  if (statvfs(existing(place.folder).c_str(), &disk) != 0)
    return Check::ok("disk", std::string("unknown: ") + std::strerror(errno));
  return judge_disk(static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize, size_of(place.file),
                    place.max_bytes, place.folder);
}

Check check_outbox(const OutboxPlace& place, const std::optional<Running>& running) {
  constexpr auto limit = std::chrono::milliseconds(500);
  if (running && running->how == Running::How::this_outbox)
    return Check::ok("outbox", who(*running) + " has it, and its records tell how many wait");
  if (access(place.file.c_str(), F_OK) != 0)
    return Check::ok("outbox", "nothing waits: " + place.file + " is not there yet");
  if (size_of(place.file) == 0) return Check::ok("outbox", "nothing waits: " + place.file + " is new");
  try {
    const OutboxReport report = inspect_outbox(place.file, limit);
    const std::string waiting =
        report.pending
            ? std::to_string(*report.pending) + (*report.pending == 1 ? " record waits" : " records wait")
            : "too many records to count in time";
    return Check::ok("outbox",
                     waiting + ", " + std::to_string(report.dropped) + " dropped so far, " +
                         megabytes(size_of(place.file)) + " of " + megabytes(place.max_bytes) +
                         (report.verified ? ", undamaged" : ", too large to be read whole in time"));
  } catch (const DatabaseError& error) {
    switch (error.kind()) {
      case DatabaseError::Kind::in_use:
        return Check::ok("outbox", "a program has it open, so it was not looked into");
      case DatabaseError::Kind::damaged:
        return Check::warn("outbox", place.file + " is damaged: " + error.what(),
                           "glimpse run: it sets the file aside and takes what can be read of it");
      default:
        return Check::fail(
            "outbox", place.file + ": " + error.what(),
            "sudo chown " + user_name() + " '" + place.file + "'*, or another folder with --state",
            ExitCode::configuration);
    }
  }
}

Check check_running(const std::optional<Running>& running) {
  if (!running) return Check::ok("running", "no glimpse run has this device's outbox");
  const std::string status = running->status.empty() ? "" : ": " + running->status;
  constexpr const char* also[] = {"", ", as this device from another state folder",
                                  ", of another user and perhaps as this device",
                                  ", without an outbox and perhaps as this device"};
  return Check::ok("running", who(*running) + also[static_cast<int>(running->how)] + status);
}

std::vector<Examination> storage_examinations(const OutboxPlace& place) {
  using namespace std::chrono_literals;
  return {
      {"state folder", 5s, [=] { return Checks{check_state_folder(place.folder)}; }, ExitCode::configuration},
      {"disk", 5s, [=] { return Checks{check_disk(place)}; }, ExitCode::configuration, {"state folder"}},
      {"running", 5s, [=] { return Checks{check_running(running_glimpse(place.file))}; },
       ExitCode::configuration},
      {"outbox",
       5s,
       [=] { return Checks{check_outbox(place, running_glimpse(place.file))}; },
       ExitCode::configuration,
       {"state folder"}},
  };
}

}  // namespace glimpse
