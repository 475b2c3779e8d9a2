// What an installed model may be called.
#pragma once

#include <string_view>

namespace glimpse {

/// 1 to 64 of a-z A-Z 0-9 . _ - that begin with a letter or digit: a folder's name, and never a way out of
/// one.
[[nodiscard]] inline bool is_model_name(std::string_view name) {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > 64 || !is_alphanumeric(name.front())) return false;
  for (const char c : name) {
    if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

}  // namespace glimpse
