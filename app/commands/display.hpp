// What a run shows on standard output: a live screen, lines, or JSON for programs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "telemetry/sink.hpp"
#include "view/console_view.hpp"
#include "view/output.hpp"

namespace glimpse {

class Display {
 public:
  /// `on_closed` is called once when nobody reads any more.
  Display(bool json, std::function<void()> on_closed);

  /// Before the first record. In the log where standard output is for records alone, and in the journal.
  void announce(const std::string& line);
  /// Whether nobody but the person at a terminal reads what is announced.
  [[nodiscard]] bool is_private() const;
  /// What prints each record; nullptr where the live screen takes its place, and in the journal, where a line
  /// each second would bury the log: there `systemctl status` shows the state.
  [[nodiscard]] Sink* records() { return records_.get(); }

  /// While it lives, the screen is drawn and the log goes above it.
  class Screen {
   public:
    Screen(Output& output, std::function<ConsoleView::Now()> now);
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

   private:
    ConsoleView view_;
  };
  /// Empty where there is no terminal to draw it on.
  [[nodiscard]] std::unique_ptr<Screen> open_screen(std::function<ConsoleView::Now()> now);

  /// Throws Error(internal) where writing failed, but not where the reader merely left.
  void check() const { output_.check(); }

 private:
  Output output_;
  const bool to_log_, has_screen_;
  std::unique_ptr<Sink> records_;
};

}  // namespace glimpse
