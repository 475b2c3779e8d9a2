// A model in a tar file, plain or gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

namespace glimpse {

struct UnpackedModel {
  bool has_float = false, has_int8 = false;
};

/// Writes manifest.json, float.pt and int8.pt into `folder`, which exists and is empty: at most `max_bytes`
/// in all. They may stand below one folder in the archive, whose name is of no meaning. Anything else in it
/// (another name, a link, a device, a second file of the same name) is refused; no name of the archive's is
/// ever used as a path. Throws InstallError, InstallStopped.
UnpackedModel unpack_model(const std::filesystem::path& archive, const std::filesystem::path& folder,
                           std::uint64_t max_bytes, const std::stop_token& stop);

}  // namespace glimpse
