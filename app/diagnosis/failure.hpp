// What other parts of the program say when something is wrong, as a Check.
#pragma once

#include <string>

#include "core/check.hpp"

namespace glimpse {

struct LinkFault;

/// A complaint with what mends it behind the last "; " or ": chmod", as all of ours are, in its two parts. A
/// text without either has no remedy.
struct Complaint {
  std::string text, remedy;
};
[[nodiscard]] Complaint split_complaint(const std::string& line);

[[nodiscard]] Check failure(const std::string& name, const Error& error);
[[nodiscard]] Check failure(const std::string& name, const LinkFault& fault);

}  // namespace glimpse
