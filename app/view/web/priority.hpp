// Who looks on does not get in the way.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

namespace glimpse {

/// From here on this thread, and those that it starts, come after the rest of the program: on Linux a nice
/// value is a thread's own (setpriority(2), "C library/kernel differences").
inline void lower_priority() {
  const auto thread = static_cast<id_t>(::gettid());
  (void)::setpriority(PRIO_PROCESS, thread, ::getpriority(PRIO_PROCESS, thread) + 10);
}

}  // namespace glimpse
