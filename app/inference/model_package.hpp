// A model folder on disk: manifest.json says which files belong to it and what their SHA-256 is; each .pt
// carries its own description. models/README.md tells how one is made.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "core/installed_model.hpp"
#include "core/picture_crop.hpp"

namespace glimpse {

/// How resizing weighs the pixels it blends, each as Pillow and so torchvision do it, antialiased.
enum class Interpolation { bilinear, bicubic };

/// How a picture becomes the network's input, as torchvision does it: the shorter side is resized to `resize`
/// pixels, the centre width x height is cut out, and each channel becomes (value / 255 - mean) / std.
struct InputSpec {
  int width = 0, height = 0;           // pixels
  int resize = 0;                      // pixels of the shorter side
  std::array<float, 3> mean{}, std{};  // R, G, B
  Interpolation interpolation = Interpolation::bilinear;
};

/// What of a picture of `width` x `height` pixels, both at least 1, the network sees.
[[nodiscard]] PictureCrop visible_part(const InputSpec& spec, int width, int height);

/// The extra file glimpse.json of a .pt file.
struct ModelDescription {
  std::vector<std::string> labels;  // one for each output of the network
  InputSpec input;
};

/// Throws Error(bad_data) naming `origin` and the key that is missing or wrong.
[[nodiscard]] ModelDescription parse_description(const std::string& json, const std::string& origin);

/// What manifest.json says of one of its files.
struct ManifestEntry {
  std::vector<std::string> labels;
  std::string sha256;
};

/// Throws Error(bad_data) naming `origin` and the key that is missing or wrong.
[[nodiscard]] ManifestEntry parse_manifest(const std::string& json, const std::string& file,
                                           const std::string& origin);

/// A .pt file in memory, as it was when its hash was checked.
struct ModelFile {
  std::filesystem::path path;
  std::string bytes;
  std::string sha256;                        // lower-case hex, of `bytes`
  std::vector<std::string> manifest_labels;  // empty without a manifest
};

/// The folder of `model`: a name looked up in ./models, beside the program, in
/// /usr/local/share/glimpse/models and in the program's share folder, or else a folder's path. An empty name
/// means mobilenet_v2 where it is installed, else demo. `first`: a folder in which names are looked up before
/// these; empty: none. Throws Error(bad_data) that lists what there is.
[[nodiscard]] std::filesystem::path find_model(const std::string& model,
                                               const std::filesystem::path& first = {});

/// All that find_model() finds by a name, sorted.
[[nodiscard]] std::vector<InstalledModel> installed_models(const std::filesystem::path& first = {});

/// Whether the model's folder has a float.pt, or an int8.pt.
[[nodiscard]] bool has_form(const std::filesystem::path& folder, bool quantized);

/// Reads float.pt or int8.pt. A model file is code, so unless `trust` is set a missing manifest or another
/// hash than the manifest's throws Error(bad_data).
[[nodiscard]] ModelFile read_model_file(const std::filesystem::path& folder, bool quantized, bool trust);

}  // namespace glimpse
