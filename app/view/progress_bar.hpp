// How far a long piece of work has come, on a terminal alone.
#pragma once

#include <cstddef>

#include "core/waiting.hpp"

namespace glimpse {

/// One line on standard error, redrawn ten times a second at most and gone at the end; nothing where standard
/// error is not a terminal.
class ProgressBar {
 public:
  explicit ProgressBar(std::size_t total);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(std::size_t done);
  /// Makes room for another line; the next show() draws it again.
  void clear();

 private:
  const std::size_t total_;
  const bool terminal_;
  bool drawn_ = false;
  Steady::time_point next_draw_;
};

}  // namespace glimpse
