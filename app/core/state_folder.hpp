// Where the program keeps what must outlive it.
#pragma once

#include <string>

namespace glimpse {

/// `given` where it is not empty, else the first of $STATE_DIRECTORY (systemd), else $XDG_STATE_HOME/glimpse,
/// else
/// ~/.local/state/glimpse. Made where it is missing, for its owner alone (0700). Throws Error(configuration)
/// where that cannot be, or where files cannot be made in it.
[[nodiscard]] std::string state_folder(const std::string& given);

/// The same folder as it is, there or not; "" where there is no HOME to have it in.
[[nodiscard]] std::string state_folder_name(const std::string& given);

}  // namespace glimpse
