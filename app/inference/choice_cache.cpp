#include "inference/choice_cache.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/text.hpp"

namespace glimpse {
namespace {

using Json = nlohmann::json;

constexpr std::size_t capacity = 64;                // choices
constexpr std::uintmax_t largest_file = 256 << 10;  // bytes; what is longer is none of ours

Json to_json(const ChoiceKey& key) {
  return {{"model", key.model_sha256},
          {"asked", key.asked},
          {"processor", key.processor},
          {"libraries", key.libraries},
          {"threads", key.threads}};
}

/// The choices in the file, oldest first; none where it is missing or damaged.
Json read(const std::filesystem::path& file) {
  std::error_code ignored;
  if (const auto bytes = std::filesystem::file_size(file, ignored); ignored || bytes > largest_file)
    return Json::array();
  std::ifstream stream(file);
  const Json choices = Json::parse(stream, nullptr, false);
  return choices.is_array() ? choices : Json::array();
}

}  // namespace

ChoiceCache::ChoiceCache() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  if (const std::string list = variable("CACHE_DIRECTORY"); !list.empty()) {
    file_ = list.substr(0, list.find(':')) + "/backends.json";  // systemd.exec(5): a list
    return;
  }
  std::filesystem::path folder = variable("XDG_CACHE_HOME");
  if (folder.is_relative()) folder = variable("HOME").empty() ? "" : variable("HOME") / ".cache";
  if (!folder.empty()) file_ = folder / "glimpse" / "backends.json";
}

std::optional<BackendChoice> ChoiceCache::recall(const ChoiceKey& key) const {
  for (const Json& entry : read(file_)) try {
      if (entry.at("for") != to_json(key)) continue;
      return BackendChoice{entry.at("backend"), entry.at("amx"), entry.at("times_ms"),
                           entry.at("measured_on")};
    } catch (const Json::exception&) {  // not as we write them
    }
  return std::nullopt;
}

void ChoiceCache::remember(const ChoiceKey& key, const BackendChoice& choice) const {
  if (file_.empty()) return;
  Json kept = Json::array();
  for (const Json& entry : read(file_)) {
    if (entry.is_object() && entry.contains("for") && entry["for"] != to_json(key)) kept.push_back(entry);
  }
  while (kept.size() >= capacity) kept.erase(kept.begin());
  kept.push_back({{"for", to_json(key)},
                  {"backend", choice.backend},
                  {"amx", choice.amx},
                  {"times_ms", choice.times_ms},
                  {"measured_on", choice.measured_on}});
  // Another process may be reading, or writing its own.
  const std::filesystem::path half = file_.string() + "." + std::to_string(::getpid());
  std::error_code error;
  std::filesystem::create_directories(file_.parent_path(), error);
  std::ofstream stream(half);
  stream << kept.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
  stream.close();
  if (stream) {
    std::filesystem::rename(half, file_, error);
    if (!error) return;
  }
  std::filesystem::remove(half, error);
  spdlog::warn("{} cannot be written: the backends will be timed again at the next start",
               escape_control(file_.string()));
}

}  // namespace glimpse
