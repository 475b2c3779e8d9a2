#include "diagnosis/running.hpp"

#include <unistd.h>

#include <filesystem>
#include <string_view>

#include "device/kernel_text.hpp"
#include "device/service_status.hpp"
#include "telemetry/outbox/inspection.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

/// "/usr/bin/glimpse\0run\0--config\0…"
bool is_run(const fs::path& process) {
  const std::string comm = read_text(process / "comm"), command = read_text(process / "cmdline");
  if (comm != "glimpse\n") return false;
  const std::size_t first = command.find('\0');
  return first != std::string::npos &&
         std::string_view(command).substr(first + 1).starts_with(std::string_view("run\0", 4));
}

enum class Holds { this_device, another, unknown };

/// Which outbox the process has open. Another user's files cannot be seen.
Holds holds(const fs::path& process, const std::string& outbox_name) {
  std::error_code error;
  fs::directory_iterator entry(process / "fd", error);
  if (error) return Holds::unknown;
  for (const fs::directory_iterator end; entry != end && !error; entry.increment(error)) {
    std::error_code gone;
    if (fs::read_symlink(entry->path(), gone).filename() == outbox_name) return Holds::this_device;
  }
  return error ? Holds::unknown : Holds::another;
}

}  // namespace

std::optional<Running> running_glimpse(const std::string& outbox_file, const std::string& proc) {
  const auto with_status = [](int pid, Running::How how) {
    return Running{pid, how, pid > 0 ? service_status(pid) : ""};
  };
  if (const auto holder = holder_of(outbox_file)) return with_status(*holder, Running::How::this_outbox);
  std::optional<Running> maybe;
  std::error_code error;
  for (fs::directory_iterator entry(proc, error), end; !error && entry != end; entry.increment(error)) {
    const auto pid = to_number<int>(entry->path().filename().string());
    if (!pid || *pid == ::getpid() || !is_run(entry->path())) continue;
    switch (holds(entry->path(), fs::path(outbox_file).filename())) {
      case Holds::this_device:
        return with_status(*pid, Running::How::this_device);
      case Holds::unknown:
        maybe = with_status(*pid, Running::How::perhaps);
        break;
      case Holds::another:
        break;
    }
  }
  return maybe;
}

}  // namespace glimpse
