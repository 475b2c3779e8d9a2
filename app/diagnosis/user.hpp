// Who looks.
#pragma once

#include <string>

namespace glimpse {

/// The effective user, by name, else by number: for the commands of remedies, which may be called by another
/// one ($USER would name that one).
[[nodiscard]] std::string user_name();

}  // namespace glimpse
