#include "diagnosis/user.hpp"

#include <pwd.h>
#include <unistd.h>

namespace glimpse {

std::string user_name() {
  const passwd* const user = ::getpwuid(::geteuid());
  return user != nullptr ? user->pw_name : std::to_string(::geteuid());
}

}  // namespace glimpse
