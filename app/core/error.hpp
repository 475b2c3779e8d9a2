// What a bad start looks like: one exception, one line for the person, one exit code for the script.
#pragma once

#include <stdexcept>
#include <string>

namespace glimpse {

/// The program's exit codes, after sysexits(3).
enum class ExitCode {
  ok = 0,
  usage = 64,          // EX_USAGE: the command line is wrong
  bad_data = 65,       // EX_DATAERR: a model or a picture is not what it should be
  no_source = 66,      // EX_NOINPUT: no such camera, file or folder
  unavailable = 69,    // EX_UNAVAILABLE: an address cannot be had, or a broker that was required not reached
  internal = 70,       // EX_SOFTWARE: our own fault
  credentials = 77,    // EX_NOPERM: a key or certificate is missing, unsafe or refused
  configuration = 78,  // EX_CONFIG: the configuration file is wrong
  interrupted = 130,   // stopped before there was a result; what shells say of a SIGINT
};

/// Thrown for anything that keeps a command from starting, caught once, in main. The message says what
/// happened, to which file, key, host or device, and what mends it.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

}  // namespace glimpse
