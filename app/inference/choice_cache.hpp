// What was found out about this machine once, so that it need not be measured at every start:
// $CACHE_DIRECTORY/backends.json (systemd), else $XDG_CACHE_HOME/glimpse/backends.json, else
// ~/.cache/glimpse/backends.json.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace glimpse {

/// What a choice holds for: another model, processor, library or number of threads needs its own.
struct ChoiceKey {
  std::string model_sha256, asked, processor, libraries;
  int threads = 1;
  bool operator==(const ChoiceKey&) const = default;
};

struct BackendChoice {
  std::string backend;
  bool amx = true;                         // whether oneDNN may use it
  std::map<std::string, double> times_ms;  // by candidate: the network's shortest time
  std::string measured_on;                 // date; empty: not measured
};

class ChoiceCache {
 public:
  ChoiceCache();  // no place for it (none of the variables set): remembers nothing
  explicit ChoiceCache(std::filesystem::path file) : file_(std::move(file)) {}

  /// Nothing also where the file is missing or damaged.
  [[nodiscard]] std::optional<BackendChoice> recall(const ChoiceKey& key) const;
  /// The 64 newest are kept. A file that cannot be written is one warning in the log.
  void remember(const ChoiceKey& key, const BackendChoice& choice) const;

 private:
  std::filesystem::path file_;
};

}  // namespace glimpse
