// Standard output, whose reader may go away.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace glimpse {

/// Writes whole texts, each at once. When writing fails (the reader has closed the pipe, the disk is full) it
/// calls `on_closed` once and writes no more.
class Output {
 public:
  explicit Output(std::function<void()> on_closed);
  void write(std::string_view text);
  /// Throws Error(internal) where writing failed, but not where the reader merely left.
  void check() const;

 private:
  const std::function<void()> on_closed_;
  const bool is_terminal_;
  mutable std::mutex mutex_;
  bool closed_ = false;
  std::string fault_;
};

}  // namespace glimpse
