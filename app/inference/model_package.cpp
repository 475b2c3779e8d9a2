#include "inference/model_package.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// Far above any classifier that a small machine runs; keeps a wrong file from filling the memory.
constexpr std::uintmax_t max_model_bytes = 2ull << 30;
constexpr std::uintmax_t max_manifest_bytes = 16u << 20;

[[noreturn]] void bad(const std::string& message) {
  throw Error(ExitCode::bad_data, message);
}

std::string read_file(const fs::path& path, std::uintmax_t limit) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) bad(path.string() + " is not a file");
  if (fs::file_size(path, ignored) > limit) bad(path.string() + " is too large to be a part of a model");
  std::ifstream in(path, std::ios::binary);
  if (!in) bad("cannot read " + path.string() + ": check its permissions with ls -l");
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return std::move(bytes).str();
}

std::string sha256_hex(const std::string& bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw Error(ExitCode::internal, "OpenSSL cannot compute a SHA-256");
  }
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) hex += {digits[digest[i] >> 4], digits[digest[i] & 15]};
  return hex;
}

std::vector<fs::path> search_folders(const fs::path& first) {
  std::vector<fs::path> folders;
  if (!first.empty()) folders.push_back(first);
  folders.emplace_back("models");
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path prefix = program.parent_path().parent_path();
    folders.push_back(prefix / "models");                     // build/glimpse
    folders.emplace_back("/usr/local/share/glimpse/models");  // what no package put there
    folders.push_back(prefix / "share/glimpse/models");       // /usr/bin/glimpse
  }
  return folders;
}

const char* file_name(bool quantized) {
  return quantized ? "int8.pt" : "float.pt";
}

bool is_model(const fs::path& folder) {
  return has_form(folder, false) || has_form(folder, true);
}

std::string names_of(const std::vector<InstalledModel>& models) {
  std::string names;
  for (const InstalledModel& model : models) names += (names.empty() ? "" : ", ") + model.folder.string();
  return names.empty() ? "none is installed" : "there is " + names;
}

Json parse_json(const std::string& text, const std::string& origin) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    bad(origin + " is not JSON (byte " + std::to_string(error.byte) + ")");
  } catch (const Json::out_of_range&) {
    bad(origin + ": a number in it is too large, beyond 1.8e308");
  }
}

/// Absent in models made before there was a choice.
Interpolation parse_interpolation(const Json& input, const std::string& origin) {
  const std::string name = input.value("interpolation", "bilinear");
  if (name == "bilinear") return Interpolation::bilinear;
  if (name == "bicubic") return Interpolation::bicubic;
  bad(origin + ": input.interpolation is \"" + escape_control(name) + "\", expected bilinear or bicubic");
}

/// Checked here, since the library takes 1e300 and 2^32 + 224 for an int.
int pixels(const Json& input, const char* key, const std::string& origin) {
  const Json& value = input.at(key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() < 1 || value.get<std::uint64_t>() > 4096)
    bad(origin + ": input." + key + " must be 1 to 4096 pixels");
  return value.get<int>();
}

}  // namespace

ModelDescription parse_description(const std::string& json, const std::string& origin) {
  const Json root = parse_json(json, origin);
  try {
    if (root.at("format") != "glimpse-model/1") bad(origin + ": format is not glimpse-model/1");
    const Json& input = root.at("input");
    ModelDescription description{
        root.at("labels"),
        {pixels(input, "width", origin), pixels(input, "height", origin), pixels(input, "resize", origin),
         input.at("mean"), input.at("std"), parse_interpolation(input, origin)}};
    const InputSpec& spec = description.input;
    if (spec.resize < std::max(spec.width, spec.height))
      bad(origin + ": input.resize must be at least the width and the height");
    for (const float mean : spec.mean) {
      if (!std::isfinite(mean)) bad(origin + ": input.mean must be below 3.4e38");
    }
    for (const float deviation : spec.std) {
      if (!(deviation > 0) || !std::isfinite(deviation))
        bad(origin + ": input.std must be above 0 and below 3.4e38");
    }
    return description;
  } catch (const Json::exception& error) {
    bad(origin + ": " + escape_control(error.what()));
  }
}

ManifestEntry parse_manifest(const std::string& json, const std::string& file, const std::string& origin) {
  const Json manifest = parse_json(json, origin);
  try {
    return {manifest.at("labels"), manifest.at("files").at(file).at("sha256")};
  } catch (const Json::exception& error) {
    bad(origin + ": " + escape_control(error.what()));
  }
}

fs::path find_model(const std::string& model, const fs::path& first) {
  std::vector<std::string> names;
  if (model.empty()) names = {"mobilenet_v2", "demo"};
  // Before a folder of that name: the cloud says names, and means what is installed.
  if (!model.empty() && model.front() != '.' && model.find('/') == std::string::npos) names = {model};
  for (const std::string& name : names) {
    for (const fs::path& folder : search_folders(first)) {
      if (is_model(folder / name)) return folder / name;
    }
  }
  if (!model.empty() && is_model(model)) return fs::path(model).lexically_normal();
  bad("no model '" + escape_control(model) + "' with a float.pt or an int8.pt; " +
      names_of(installed_models(first)));
}

std::vector<InstalledModel> installed_models(const fs::path& first) {
  std::map<std::string, InstalledModel> found;  // the first of a name is the one that find_model() finds
  for (const fs::path& folder : search_folders(first)) {
    std::error_code ignored;
    // Not a range's `++`, which throws: a folder may go while it is read.
    for (fs::directory_iterator each(folder, ignored); each != fs::directory_iterator();
         each.increment(ignored)) {
      const fs::path& path = each->path();
      const std::string name = path.filename().string();
      if (!name.starts_with('.') && is_model(path))
        found.try_emplace(name, InstalledModel{name, path, has_form(path, false), has_form(path, true)});
    }
  }
  std::vector<InstalledModel> models;
  for (auto& [name, model] : found) models.push_back(std::move(model));
  return models;
}

PictureCrop visible_part(const InputSpec& spec, int width, int height) {
  const double shorter = std::min(width, height);
  const auto part = [&](int side, int crop) {
    return std::min(1.0, crop * shorter / (spec.resize * double(side)));
  };
  const double x = part(width, spec.width), y = part(height, spec.height);
  return {(1 - x) / 2, (1 - y) / 2, x, y};
}

bool has_form(const fs::path& folder, bool quantized) {
  std::error_code ignored;
  return fs::exists(folder / file_name(quantized), ignored);
}

ModelFile read_model_file(const fs::path& folder, bool quantized, bool trust) {
  const std::string name = file_name(quantized);
  const fs::path path = folder / name;
  std::error_code ignored;
  if (!has_form(folder, quantized)) {
    bad(path.string() + " is missing: this model has no " +
        (quantized ? "int8 form; run without --quantized" : "float form; run with --quantized"));
  }
  ModelFile file{path, read_file(path, max_model_bytes), "", {}};
  file.sha256 = sha256_hex(file.bytes);

  const fs::path manifest_path = folder / "manifest.json";
  if (!fs::exists(manifest_path, ignored)) {
    if (trust) return file;
    bad(manifest_path.string() +
        " is missing, and a model file is code: run with --trust if you know where it is from");
  }
  const ManifestEntry entry =
      parse_manifest(read_file(manifest_path, max_manifest_bytes), name, manifest_path.string());
  file.manifest_labels = entry.labels;
  if (entry.sha256 != file.sha256 && !trust) {
    bad(path.string() + " is damaged or not the file of its manifest: its SHA-256 is " + file.sha256 +
        ", expected " + escape_control(entry.sha256) +
        "; fetch or export the model again, or run with --trust if the change is yours");
  }
  return file;
}

}  // namespace glimpse
