// A model to fetch, to install and to run; and who carries that out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace glimpse {

struct ModelOrder {
  std::string name;               // of its folder: see core/model_name.hpp
  std::string url;                // https, or http to loopback. Its query may be a secret: never for a log
  std::string sha256;             // of the file, lower-case hex
  std::uint64_t size = 0;         // of the file, bytes
  std::optional<bool> quantized;  // none: the form in use, where the model has it
};

struct InstallProgress {
  std::string step;  // "download", "check", "activate"
  int percent = 0;   // of that step
};

struct InstallResult {
  std::string reason;      // why not, one line; empty: the model runs
  bool quantized = false;  // the rest is of the model that runs
  std::string backend, sha256;
};

/// One order at a time. Thread-safe.
class ModelInstaller {
 public:
  struct Listener {
    std::function<void(const InstallProgress&)> progress;
    std::function<void(const InstallResult&)> done;  // once; never for an order that was abandoned
  };

  virtual ~ModelInstaller() = default;
  /// Comes back at once; an order in progress is abandoned for this one. The listener is called from another
  /// thread.
  virtual void install(ModelOrder order, Listener listener) = 0;
  /// The order in progress, if any, is given up and what it has left behind removed. One whose model is being
  /// activated already is carried out, and tells nobody.
  virtual void abandon() = 0;
};

}  // namespace glimpse
