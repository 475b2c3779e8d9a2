// The log: one line for each message on standard error, above the live screen where there is one.
#pragma once

namespace glimpse {

class ConsoleView;

/// Makes the default logger ours. Control characters in messages are escaped.
void start_log();

/// While set, messages go above this screen instead of standard error.
void log_above(ConsoleView* console);

}  // namespace glimpse
