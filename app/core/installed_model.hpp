// A model that can be asked for by its name.
#pragma once

#include <filesystem>
#include <string>

namespace glimpse {

struct InstalledModel {
  std::string name;  // of its folder
  std::filesystem::path folder;
  bool has_float = false, has_int8 = false;
  bool operator==(const InstalledModel&) const = default;
};

}  // namespace glimpse
