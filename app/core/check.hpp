// One thing that was looked at, and what was found.
#pragma once

#include <string>
#include <utility>

#include "core/error.hpp"

namespace glimpse {

struct Check {
  /// What is not needed here, or cannot be known, is ok; the text says which.
  enum class State { ok, warn, fail };

  std::string name;  // "model demo"
  State state = State::ok;
  std::string text;              // what was found
  std::string remedy{};          // what mends it, a command where there is one; empty: nothing to mend
  ExitCode code = ExitCode::ok;  // of a failure: what `run` would end with

  static Check ok(std::string name, std::string text, std::string remedy = {}) {
    return {std::move(name), State::ok, std::move(text), std::move(remedy)};
  }
  static Check warn(std::string name, std::string text, std::string remedy) {
    return {std::move(name), State::warn, std::move(text), std::move(remedy)};
  }
  static Check fail(std::string name, std::string text, std::string remedy, ExitCode code) {
    return {std::move(name), State::fail, std::move(text), std::move(remedy), code};
  }
};

}  // namespace glimpse
