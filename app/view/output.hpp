// Standard output, whose reader may go away.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace glimpse {

/// Writes whole texts, each at once. When writing fails (the reader has closed the pipe, the disk is full) it calls
/// `on_closed` once, with "" for a reader that left and the reason otherwise, and writes no more.
class Output {
 public:
  explicit Output(std::function<void(const std::string& reason)> on_closed) : on_closed_(std::move(on_closed)) {}
  void write(std::string_view text);

 private:
  const std::function<void(const std::string&)> on_closed_;
  std::mutex mutex_;
  bool closed_ = false;
};

}  // namespace glimpse
