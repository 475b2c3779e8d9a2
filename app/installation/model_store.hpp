// The models that jobs have installed, on disk: STATE/models.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "core/file_descriptor.hpp"

namespace glimpse {

/// In the folder lie
/// - NAME/: a model. At most `max_models` of jobs stay: beyond them the one installed first goes, never the
///   active one
/// - .activated.json: which of them a job has activated last, in which form
/// - .incoming/: the file of the order in progress, and what is unpacked of it
/// - .previous/NAME/: what an installation has replaced, until the new one runs
/// A file and what is unpacked of it have at most 1 GiB each, so all of it has at most 7 GiB. A change is
/// whole or not at all, also over a power cut: what was cut short the next program's constructor undoes. Not
/// thread-safe, and one process's at a time. Throws InstallError.
class ModelStore {
 public:
  static constexpr std::size_t max_models = 4;

  struct Active {
    std::string name;
    bool quantized = false;
  };

  /// Makes the folder where it is missing, for its owner alone. Throws Error(configuration) where that cannot
  /// be, or another process has it.
  explicit ModelStore(std::filesystem::path folder);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path model(const std::string& name) const { return folder_ / name; }
  /// Without this file no model is active.
  [[nodiscard]] std::filesystem::path marker() const { return folder_ / ".activated.json"; }
  /// Nothing where no job has activated one, or it is no longer there.
  [[nodiscard]] std::optional<Active> active() const;
  /// Whether the model of that name came from the file with that hash.
  [[nodiscard]] bool has(const std::string& name, const std::string& sha256) const;

  /// Where the file with that hash is kept while it comes; files of other orders go.
  [[nodiscard]] std::filesystem::path incoming_file(const std::string& sha256);
  /// A new, empty folder to unpack into.
  [[nodiscard]] std::filesystem::path incoming_folder();
  void clear_incoming();

  /// Moves the unpacked folder to the model's place; what was there is put aside.
  void place(const std::filesystem::path& unpacked, const std::string& name, const std::string& sha256);
  /// How often the file with that hash has been begun to be activated without an end, this time included. A
  /// model that ends the program is so known by the next one.
  [[nodiscard]] int begin_activation(const std::string& sha256);
  void end_activation();
  /// It runs: the next program begins with it.
  void keep(const Active& active);
  /// The model goes, and what it replaced comes back.
  void roll_back(const std::string& name);

 private:
  void recover();
  void drop_surplus(const std::string& active);

  const std::filesystem::path folder_;
  FileDescriptor lock_;
};

}  // namespace glimpse
