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

/// "/usr/bin/glimpse\0run\0--config\0…", with a broker, or with a file that may name one.
bool is_run_with_broker(const fs::path& process) {
  const std::string comm = read_text(process / "comm"), command = read_text(process / "cmdline");
  if (comm != "glimpse\n") return false;
  const std::size_t first = command.find('\0');
  if (first == std::string::npos) return false;
  const auto options = std::string_view(command).substr(first + 1);
  return options.starts_with(std::string_view("run\0", 4)) &&
         (options.find("--broker") != std::string_view::npos ||
          options.find("--config") != std::string_view::npos);
}

/// Whose outbox the process has open; nothing: another device's.
std::optional<Running::How> outbox_of(const fs::path& process, const std::string& outbox_name) {
  std::error_code error;
  bool has_another = false;
  fs::directory_iterator entry(process / "fd", error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const std::string open = fs::read_symlink(entry->path(), gone).filename();
    if (open.starts_with(outbox_name)) return Running::How::this_device;  // also "….db (deleted)", "….db-wal"
    has_another = has_another || (open.starts_with("outbox-") && open.find(".db") != std::string::npos);
  }
  if (error) return Running::How::perhaps;
  if (has_another) return std::nullopt;
  return Running::How::without_outbox;
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
    if (!pid || *pid == ::getpid() || !is_run_with_broker(entry->path())) continue;
    const auto how = outbox_of(entry->path(), fs::path(outbox_file).filename());
    if (how == Running::How::this_device) return with_status(*pid, *how);
    if (how) maybe = with_status(*pid, *how);
  }
  return maybe;
}

}  // namespace glimpse
