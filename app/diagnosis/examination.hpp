// A part of a diagnosis: it looks at something in a process of its own, for so long at most. A driver that
// hangs, a library that crashes and a network that swallows packets are findings then, and not the end of the
// doctor.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/check.hpp"

namespace glimpse {

using Checks = std::vector<Check>;

struct Examination {
  std::string name;                    // of its first check
  std::chrono::milliseconds limit;     // then it is stopped, and has failed
  std::function<Checks()> look;        // called in another process: what it changes here is not seen
  ExitCode code = ExitCode::internal;  // of a look that hangs or crashes
  std::vector<std::string> needs{};    // names of examinations before it, without which it is not looked at
  std::string remedy{};                // of a look that hangs, and of what it finds wrong without one
  std::vector<std::string> instead{};  // where one of these has not failed, its own failure is a warning
};

/// What the examination found. A throw of Error is a failure of it. Throws Error(interrupted) on a stop.
[[nodiscard]] Checks carry_out(const Examination& examination, const std::stop_token& stop);

/// All of them in turn. `begins` is called with the name of each, `found` with each check. An examination
/// that failed takes those that need it along: they are skipped, and say why.
void carry_out(const std::vector<Examination>& examinations, const std::stop_token& stop,
               const std::function<void(const std::string& name)>& begins,
               const std::function<void(const Check& check)>& found);

}  // namespace glimpse
