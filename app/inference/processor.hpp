// What the processor can do that decides how int8 is computed. Asked of the processor itself: oneDNN fixes
// its instruction set the first time that it is asked for it.
#pragma once

#include <string>

namespace glimpse {

/// Whether it multiplies and adds 8-bit numbers without running over on the way (VNNI). Without, oneDNN and
/// FBGEMM on x86 cut their sums of two products to 16 bit.
[[nodiscard]] bool adds_int8_exactly();

/// Whether it has AMX, whose tiles are slower than VNNI for networks as small as these.
[[nodiscard]] bool has_amx();

/// As /proc/cpuinfo names it, with its number of cores; "unknown" where that says nothing.
[[nodiscard]] std::string processor_name();

}  // namespace glimpse
