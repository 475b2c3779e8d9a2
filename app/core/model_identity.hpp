// Which model named a frame.
#pragma once

#include <string>

namespace glimpse {

struct ModelIdentity {
  std::string name;  // e.g. demo
  bool quantized = false;
  std::string backend;  // e.g. onednn
  std::string sha256;   // of the model file
  bool operator==(const ModelIdentity&) const = default;
};

}  // namespace glimpse
