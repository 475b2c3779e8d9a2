#include "inference/processor.hpp"

#include <fstream>
#include <thread>

namespace glimpse {

#if defined(__x86_64__)

bool adds_int8_exactly() {
  return __builtin_cpu_supports("avx512vnni") || __builtin_cpu_supports("avxvnni");
}

bool has_amx() {
  return __builtin_cpu_supports("amx-int8");
}

#else

bool adds_int8_exactly() {
  return true;  // Arm's kernels add in 32 bit
}

bool has_amx() {
  return false;
}

#endif

std::string processor_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string name;
  for (std::string line; std::getline(cpuinfo, line) && !line.empty();) {
    for (const char* const key : {"model name", "Model", "CPU implementer", "CPU part"}) {
      if (!line.starts_with(key)) continue;
      const auto colon = line.find(": ");
      if (colon != std::string::npos) name += (name.empty() ? "" : " ") + line.substr(colon + 2);
    }
  }
  return (name.empty() ? "unknown" : name) + ", " + std::to_string(std::thread::hardware_concurrency()) +
         " cores";
}

}  // namespace glimpse
