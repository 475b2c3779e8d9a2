#include "installation/model_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>
#include <vector>

#include "core/error.hpp"
#include "core/model_name.hpp"
#include "core/model_order.hpp"
#include "core/text.hpp"
#include "inference/model_package.hpp"
#include "installation/download.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// In a model's folder, which file it came from: "SHA-256 NUMBER", the number rising with each installation.
constexpr auto placed = ".placed";        // it has not run yet
constexpr auto installed = ".installed";  // it has

std::string reason_of(int error) {
  return std::generic_category().message(error);
}

[[noreturn]] void fail(const fs::path& path, int error) {
  throw InstallError(path.string() + " cannot be written: " + reason_of(error));
}

void sync_folder(const fs::path& folder) {
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) fail(folder, errno);
}

/// Whole or not at all.
void write_file(const fs::path& file, const std::string& text) {
  const fs::path draft = file.string() + ".new";
  {
    const FileDescriptor fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (fd.get() < 0) fail(draft, errno);
    if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(fd.get()) != 0)
      fail(draft, errno);
  }
  if (::rename(draft.c_str(), file.c_str()) != 0) fail(file, errno);
  sync_folder(file.parent_path());
}

void put(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail(to, errno);
  sync_folder(to.parent_path());
}

void erase_whole(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) throw InstallError(path.string() + " cannot be removed: " + error.message());
}

void make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) fail(folder, errno);
}

struct Origin {
  std::string sha256;
  std::uint64_t number = 0;
};

Origin origin_of(const fs::path& mark) {
  Origin origin;
  std::ifstream(mark) >> origin.sha256 >> origin.number;
  return origin;
}

struct Installed {
  std::string name;
  std::uint64_t number = 0;
};

/// The one installed first comes first.
std::vector<Installed> all_installed(const fs::path& folder) {
  std::vector<Installed> all;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (fs::exists(entry.path() / installed))
      all.push_back({entry.path().filename(), origin_of(entry.path() / installed).number});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return all;
}

std::uint64_t next_number(const fs::path& folder) {
  const auto all = all_installed(folder);
  return all.empty() ? 1 : all.back().number + 1;
}

}  // namespace

ModelStore::ModelStore(fs::path folder) : folder_(std::move(folder)) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ExitCode::configuration, "the folder for models '" + escape_control(folder_.string()) + "' " +
                                             what + "; name another state folder with --state");
  };
  try {
    for (const fs::path& made : {folder_, folder_ / ".incoming", folder_ / ".previous"}) make_folder(made);
    const fs::path lock = folder_ / ".lock";
    lock_ = FileDescriptor(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock_.get() < 0) fail(lock, errno);
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) refuse("is in use by another glimpse");
    recover();
  } catch (const InstallError& error) {
    refuse(std::string("cannot be used: ") + error.what());
  } catch (const fs::filesystem_error& error) {
    refuse("cannot be used: " + error.code().message());
  }
}

void ModelStore::recover() {
  erase_whole(folder_ / ".incoming" / "unpacked");
  std::vector<fs::path> half;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (fs::exists(entry.path() / placed)) half.push_back(entry.path());
  }
  std::for_each(half.begin(), half.end(), erase_whole);
  std::vector<fs::path> aside;
  for (const auto& entry : fs::directory_iterator(folder_ / ".previous")) aside.push_back(entry.path());
  for (const fs::path& previous : aside) {
    const fs::path place = folder_ / previous.filename();
    fs::exists(place) ? erase_whole(previous) : put(previous, place);
  }
}

std::optional<ModelStore::Active> ModelStore::active() const {
  std::ifstream in(marker());
  const Json root = Json::parse(in, nullptr, false);
  if (!root.is_object() || !root.contains("model") || !root["model"].is_string() ||
      !root.contains("quantized") || !root["quantized"].is_boolean())
    return std::nullopt;
  const Active active{root["model"], root["quantized"]};
  if (!is_model_name(active.name) || !has_form(model(active.name), active.quantized)) return std::nullopt;
  return active;
}

bool ModelStore::has(const std::string& name, const std::string& sha256) const {
  return origin_of(model(name) / installed).sha256 == sha256;
}

fs::path ModelStore::incoming_file(const std::string& sha256) {
  const fs::path incoming = folder_ / ".incoming";
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(incoming)) {
    if (entry.path().filename().string().rfind(sha256, 0) != 0) others.push_back(entry.path());
  }
  std::for_each(others.begin(), others.end(), erase_whole);
  return incoming / (sha256 + ".part");
}

fs::path ModelStore::incoming_folder() {
  const fs::path folder = folder_ / ".incoming" / "unpacked";
  erase_whole(folder);
  make_folder(folder);
  return folder;
}

void ModelStore::clear_incoming() {
  erase_whole(folder_ / ".incoming");
  make_folder(folder_ / ".incoming");
}

void ModelStore::place(const fs::path& unpacked, const std::string& name, const std::string& sha256) {
  write_file(unpacked / placed, sha256 + " " + std::to_string(next_number(folder_)) + "\n");
  const fs::path previous = folder_ / ".previous" / name;
  erase_whole(previous);
  if (fs::exists(model(name))) put(model(name), previous);
  put(unpacked, model(name));
}

int ModelStore::begin_activation(const std::string& sha256) {
  const fs::path file = folder_ / ".incoming" / (sha256 + ".activations");
  int count = 0;
  std::ifstream(file) >> count;
  write_file(file, std::to_string(++count) + "\n");
  return count;
}

void ModelStore::end_activation() {
  for (const auto& entry : fs::directory_iterator(folder_ / ".incoming")) {
    if (entry.path().extension() == ".activations") {
      erase_whole(entry.path());
      return;
    }
  }
}

void ModelStore::keep(const Active& active) {
  const fs::path place = model(active.name);
  if (fs::exists(place / placed)) {
    put(place / placed, place / installed);
  } else if (const Origin origin = origin_of(place / installed); !origin.sha256.empty()) {
    write_file(place / installed, origin.sha256 + " " + std::to_string(next_number(folder_)) + "\n");
  }
  write_file(marker(), Json{{"model", active.name}, {"quantized", active.quantized}}.dump() + "\n");
  erase_whole(folder_ / ".previous" / active.name);
  drop_surplus(active.name);
}

void ModelStore::drop_surplus(const std::string& active) {
  auto all = all_installed(folder_);
  std::erase_if(all, [&](const Installed& it) { return it.name == active; });
  for (std::size_t i = 0; i + max_models - 1 < all.size(); ++i) erase_whole(model(all[i].name));
}

void ModelStore::roll_back(const std::string& name) {
  erase_whole(model(name));
  const fs::path previous = folder_ / ".previous" / name;
  if (fs::exists(previous)) put(previous, model(name));
}

}  // namespace glimpse
