#include "device/machine.hpp"

#include <sys/utsname.h>

#include <fstream>

namespace glimpse {
namespace {

/// A string of the device tree ends in a NUL. Source: Devicetree Specification 0.4, 2.2.4.
std::optional<std::string> board(const std::string& root) {
  std::ifstream file(root + "/sys/firmware/devicetree/base/model");
  std::string model;
  std::getline(file, model, '\0');
  return model.empty() ? std::nullopt : std::optional(model);
}

std::optional<std::string> system(const std::string& root) {
  std::ifstream file(root + "/etc/os-release");
  constexpr std::string_view key = "PRETTY_NAME=";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    std::string name = line.substr(key.size());
    if (name.size() >= 2 && (name.front() == '"' || name.front() == '\'') && name.back() == name.front())
      name = name.substr(1, name.size() - 2);
    if (!name.empty()) return name;
  }
  return std::nullopt;
}

std::string kernel() {
  utsname name{};
  if (::uname(&name) != 0) return "unknown";
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

}  // namespace

Machine this_machine(const std::string& root) {
  return {board(root), system(root), kernel()};
}

}  // namespace glimpse
