// Standard output, whose reader may go away.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "core/file_descriptor.hpp"

namespace glimpse {

/// Writes whole texts, each at once. When writing fails (the reader has closed the pipe, the disk is full) it
/// calls `on_closed` once and writes no more.
class Output {
 public:
  explicit Output(std::function<void()> on_closed);
  void write(std::string_view text);
  /// The same to a terminal, without waiting for it (Ctrl-S, a connection that stalls). False: it has not yet
  /// taken all of the text before, and this one is not written.
  [[nodiscard]] bool try_write(std::string_view text);
  /// Throws Error(internal) where writing failed, but not where the reader merely left.
  void check() const;

 private:
  [[nodiscard]] std::size_t write_some(int fd, std::string_view text);

  const std::function<void()> on_closed_;
  const bool is_terminal_;
  mutable std::mutex mutex_;
  FileDescriptor terminal_;  // standard output, opened once more: O_NONBLOCK is shared with our shell there
  std::string unsent_;       // the end of what try_write() wrote last
  bool closed_ = false;
  std::string fault_;
};

}  // namespace glimpse
