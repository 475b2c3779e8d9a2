// The log: one line for each message on standard error, above the live screen where there is one. To
// systemd's journal a line goes without a time, which the journal has, and with its priority in front
// (sd-daemon(3)).
#pragma once

namespace glimpse {

class ConsoleView;

/// Whether what is written to this descriptor goes to the journal (systemd.exec(5), $JOURNAL_STREAM).
[[nodiscard]] bool is_journal(int fd);

/// "<3>" where standard error is the journal, else "glimpse: ": the beginning of the line that tells why the
/// program ends.
[[nodiscard]] const char* complaint_prefix();

/// Makes the default logger ours. Control characters in messages are escaped.
void start_log();

/// While set, messages go above this screen where standard error is a terminal.
void log_above(ConsoleView* console);

}  // namespace glimpse
