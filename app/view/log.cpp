#include "view/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

#include "core/text.hpp"
#include "view/console_view.hpp"

namespace glimpse {
namespace {

const char* priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return SD_DEBUG;
    case spdlog::level::warn:
      return SD_WARNING;
    case spdlog::level::err:
      return SD_ERR;
    case spdlog::level::critical:
      return SD_CRIT;
    default:
      return SD_INFO;
  }
}

class LogSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void above(ConsoleView* console) {
    const std::lock_guard lock(mutex_);
    console_ = console;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t formatted;
    formatter_->format(message, formatted);
    std::string line = escape_control({formatted.data(), formatted.size()});
    if (console_ != nullptr) {
      console_->print_above(line);
    } else {
      if (to_journal_) line.insert(0, priority(message.level));
      line += '\n';
      (void)!::write(STDERR_FILENO, line.data(), line.size());
    }
  }
  void flush_() override {}

 private:
  ConsoleView* console_ = nullptr;
  const bool to_journal_ = is_journal(STDERR_FILENO);
};

std::shared_ptr<LogSink> log_sink() {
  static const auto sink = std::make_shared<LogSink>();
  return sink;
}

}  // namespace

bool is_journal(int fd) {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(fd, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

const char* complaint_prefix() {
  return is_journal(STDERR_FILENO) ? SD_ERR : "glimpse: ";
}

void start_log() {
  auto logger = std::make_shared<spdlog::logger>("glimpse", log_sink());
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      is_journal(STDERR_FILENO) ? "%v" : "%H:%M:%S %l: %v", spdlog::pattern_time_type::local, ""));
  spdlog::set_default_logger(std::move(logger));
}

void log_above(ConsoleView* console) {
  // Standard error in a file stays there.
  log_sink()->above(::isatty(STDERR_FILENO) == 1 ? console : nullptr);
}

}  // namespace glimpse
