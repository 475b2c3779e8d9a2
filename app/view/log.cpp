#include "view/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <string>

#include "core/text.hpp"
#include "view/console_view.hpp"

namespace glimpse {
namespace {

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
      line += '\n';
      (void)!::write(STDERR_FILENO, line.data(), line.size());
    }
  }
  void flush_() override {}

 private:
  ConsoleView* console_ = nullptr;
};

std::shared_ptr<LogSink> log_sink() {
  static const auto sink = std::make_shared<LogSink>();
  return sink;
}

}  // namespace

void start_log() {
  auto logger = std::make_shared<spdlog::logger>("glimpse", log_sink());
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%H:%M:%S %l: %v", spdlog::pattern_time_type::local, ""));
  spdlog::set_default_logger(std::move(logger));
}

void log_above(ConsoleView* console) {
  log_sink()->above(console);
}

}  // namespace glimpse
