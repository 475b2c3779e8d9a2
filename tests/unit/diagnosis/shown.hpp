// A check as the tests compare it.
#pragma once

#include <string>

#include "core/check.hpp"

inline std::string state(const glimpse::Check& check) {
  constexpr const char* words[] = {"ok", "warn", "fail"};
  return words[static_cast<int>(check.state)];
}

/// "warn blas: the reference BLAS … | sudo apt install …"
inline std::string shown(const glimpse::Check& check) {
  return state(check) + " " + check.name + ": " + check.text +
         (check.remedy.empty() ? "" : " | " + check.remedy);
}
