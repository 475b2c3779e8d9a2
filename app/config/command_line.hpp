// The command line, parsed.
#pragma once

#include <optional>
#include <string>

#include "config/settings.hpp"

namespace glimpse {

/// What the command line asks for.
struct CommandLine {
  std::string text;  // to print instead of running: help, version or the settings (--print-config)
  Command command = Command::run;
  Settings settings;
  std::string config_file;  // of --config; empty: none
};

/// Throws Error(usage) that names the flag, or Error(configuration) for the file of --config. The command
/// line overrides the file, the file overrides the defaults.
[[nodiscard]] CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace glimpse
