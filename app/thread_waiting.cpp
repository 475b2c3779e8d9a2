// How long OpenMP's threads spin for more work before they sleep. libgomp's default is some 15 ms: an idle
// thread burns a core between frames, and with the cores taken by others 10 ms become 750. Sleeping at once
// costs more than a second thread brings (waking one takes longer than most operators). In between lies the
// time from one operator to the next.
//
// libgomp reads its environment when it is loaded, before main() and any constructor of ours. So the program
// begins anew with the variable set, from .preinit_array: before the libraries are initialised, which is what
// takes time (20 ms here, half a second from main()).
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace {

constexpr char spin_count[] = "GOMP_SPINCOUNT=4000";  // some 0.2 ms on x86

bool is_decided(std::string_view variable) {
  return variable.starts_with("GOMP_SPINCOUNT=") || variable.starts_with("OMP_WAIT_POLICY=");
}

void begin_anew(int, char** argv, char** envp) {
  char** end = envp;
  for (; *end != nullptr; ++end) {
    if (is_decided(*end)) return;
  }
  char self[4096] = {};  // not /proc/self/exe itself: the process would be called "exe"
  if (::readlink("/proc/self/exe", self, sizeof self - 1) <= 0) return;
  const auto variables = static_cast<std::size_t>(end - envp);
  auto** const environment = static_cast<char**>(__builtin_alloca((variables + 2) * sizeof(char*)));
  std::copy(envp, end, environment);
  environment[variables] = const_cast<char*>(spin_count);
  environment[variables + 1] = nullptr;
  ::execve(self, argv, environment);  // where that cannot be done, waiting stays as it was
}

__attribute__((section(".preinit_array"), used)) void (*const hook)(int, char**, char**) = begin_anew;

}  // namespace
