// The terminal that standard output is: what it can show, and that it is left as it was found.
#pragma once

namespace glimpse {

struct TerminalSize {
  int columns = 80, rows = 24;
};

struct TerminalStyle {
  bool colour = true;  // not where NO_COLOR is set (no-color.org)
  bool utf8 = true;    // by the name of the locale, which need not be installed
  bool blocks = true;  // eighth blocks: not on Linux's own console, whose fonts lack them
};

/// As it is now, 80 x 24 where it does not tell. Cheap: asked for each drawing, it makes SIGWINCH needless.
[[nodiscard]] TerminalSize terminal_size();
[[nodiscard]] TerminalStyle terminal_style();

/// Whether standard output is a terminal that a screen can be drawn on: TERM is set and not "dumb".
[[nodiscard]] bool is_live_terminal();

/// While it lives, the terminal may be in the middle of a screen (cursor hidden, its place the screen's top
/// left corner, keys not echoed), and a program that crashes, or is stopped by Ctrl-Z, leaves it clean:
/// screen erased, cursor visible, echo as it was. SIGKILL cannot be helped. One at a time.
class TerminalGuard {
 public:
  TerminalGuard();
  ~TerminalGuard();
  TerminalGuard(const TerminalGuard&) = delete;
  TerminalGuard& operator=(const TerminalGuard&) = delete;

  /// Takes the terminal for a drawing, its echo off. False: not to be drawn on, while we are in the
  /// background (bg) or after leave(). To be asked before each drawing: what was the shell's meanwhile is as
  /// the shell left it.
  [[nodiscard]] static bool take();
  /// For an end without the destructor: erases the screen, shows the cursor and what is typed; nothing may be
  /// drawn after it. Nothing where no guard lives. Async-signal-safe.
  static void leave();
};

}  // namespace glimpse
