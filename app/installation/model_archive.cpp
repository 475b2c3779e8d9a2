#include "installation/model_archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "core/file_descriptor.hpp"
#include "core/text.hpp"
#include "installation/download.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;
using Archive = std::unique_ptr<archive, int (*)(archive*)>;

std::string shown(const std::string& name) {
  return "'" + escape_control(name.substr(0, 80)) + "'";
}

[[noreturn]] void refuse(archive* from, const std::string& what) {
  const char* const why = archive_error_string(from);
  throw InstallError(what + (why == nullptr ? "" : ": " + escape_control(why)));
}

/// "./", "a/", "./a//b" in their parts, without those that say nothing.
std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    if (!part.empty() && part != ".") parts.push_back(part);
    begin = end + 1;
  }
  return parts;
}

/// The file's name in a model folder; "" for the folder that it stands in.
std::string name_of(archive_entry* entry, std::string& top) {
  const char* const path = archive_entry_pathname(entry);
  const std::string text = path == nullptr ? "" : path;
  const bool is_folder = archive_entry_filetype(entry) == AE_IFDIR;
  const bool is_file = archive_entry_filetype(entry) == AE_IFREG &&
                       archive_entry_hardlink(entry) == nullptr && archive_entry_symlink(entry) == nullptr;
  if (!is_folder && !is_file)
    throw InstallError("the archive's " + shown(text) + " is a link or a device, no file");
  const auto parts = parts_of(text);
  const bool fits =
      text.rfind('/', 0) != 0 && (is_folder ? parts.size() <= 1 : parts.size() == 1 || parts.size() == 2);
  if (fits && is_folder && (parts.empty() || parts[0] != "..")) return "";
  const std::string name = parts.empty() ? "" : parts.back();
  const std::string folder = parts.size() == 2 ? parts[0] : "";
  if (top.empty()) top = folder + "/";
  if (!fits || is_folder || top != folder + "/" || folder == ".." ||
      (name != "manifest.json" && name != "float.pt" && name != "int8.pt")) {
    throw InstallError("the archive has " + shown(text) +
                       "; a model is manifest.json, float.pt and int8.pt, in one folder at most");
  }
  return name;
}

void write_all(int fd, const char* bytes, std::size_t count, const fs::path& file) {
  while (count > 0) {
    const ssize_t written = ::write(fd, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      throw InstallError(file.string() + " cannot be written: " + std::generic_category().message(errno));
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
}

/// Gives the bytes it wrote.
std::uint64_t unpack(archive* from, const fs::path& file, std::uint64_t max_bytes,
                     const std::stop_token& stop) {
  const FileDescriptor fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.get() < 0)
    throw InstallError(file.string() + " cannot be written: " + std::generic_category().message(errno));
  std::vector<char> part(1 << 20);
  std::uint64_t all = 0;
  while (true) {
    if (stop.stop_requested()) throw InstallStopped{};
    const la_ssize_t count = archive_read_data(from, part.data(), part.size());
    if (count == 0) break;
    if (count < 0) refuse(from, "the archive is damaged in " + shown(file.filename()));
    all += static_cast<std::uint64_t>(count);
    if (all > max_bytes) throw InstallError("the archive's files have more than 1 GiB");
    write_all(fd.get(), part.data(), static_cast<std::size_t>(count), file);
  }
  if (::fsync(fd.get()) != 0)
    throw InstallError(file.string() + " cannot be written: " + std::generic_category().message(errno));
  return all;
}

}  // namespace

UnpackedModel unpack_model(const fs::path& archive_file, const fs::path& folder, std::uint64_t max_bytes,
                           const std::stop_token& stop) {
  const Archive from(archive_read_new(), archive_read_free);
  if (!from) throw InstallError("libarchive does not start");
  archive_read_support_format_tar(from.get());
  archive_read_support_filter_gzip(from.get());
  if (archive_read_open_filename(from.get(), archive_file.c_str(), 1 << 16) != ARCHIVE_OK)
    refuse(from.get(), "the file is no tar archive, or damaged");
  std::set<std::string> names;
  std::string top;  // the folder that all stand in, with a slash
  archive_entry* entry = nullptr;
  while (true) {
    const int got = archive_read_next_header(from.get(), &entry);
    if (got == ARCHIVE_EOF) break;
    if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
      refuse(from.get(), names.empty() ? "the file is no tar archive, or damaged" : "the archive is damaged");
    const std::string name = name_of(entry, top);
    if (name.empty()) continue;
    if (!names.insert(name).second) throw InstallError("the archive has " + name + " twice");
    max_bytes -= unpack(from.get(), folder / name, max_bytes, stop);
  }
  if (names.count("manifest.json") == 0) throw InstallError("the archive has no manifest.json");
  const UnpackedModel model{names.count("float.pt") > 0, names.count("int8.pt") > 0};
  if (!model.has_float && !model.has_int8) throw InstallError("the archive has neither float.pt nor int8.pt");
  return model;
}

}  // namespace glimpse
