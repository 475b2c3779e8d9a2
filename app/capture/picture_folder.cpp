#include "capture/picture_folder.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <vector>

#include "capture/picture.hpp"
#include "core/error.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 8> extensions{".jpg",  ".jpeg", ".png",  ".bmp",
                                                     ".webp", ".tif",  ".tiff", ".ppm"};

bool has_picture_name(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

std::vector<std::string> list_pictures(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code unknown;  // a link to nowhere, or a FIFO named .jpg: not a picture
    if (has_picture_name(entry->path()) && entry->is_regular_file(unknown))
      paths.push_back(entry->path().string());
  }
  if (error) throw Error(ExitCode::no_source, folder + ": cannot be listed: " + error.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

class PictureFolder : public VideoSource {
 public:
  PictureFolder(std::string folder, std::vector<std::string> paths, bool loop)
      : folder_(std::move(folder)), paths_(std::move(paths)), loop_(loop) {
    info_.description =
        folder_ + ", " + std::to_string(paths_.size()) + (paths_.size() == 1 ? " picture" : " pictures");
  }

  ReadResult read(Frame& frame) override {
    if (next_ == paths_.size()) {
      if (decoded_ == 0) {  // or a loop would turn forever without a frame
        return {ReadStatus::failed,
                folder_ + ": none of its " + std::to_string(paths_.size()) + " pictures could be decoded"};
      }
      if (!loop_) return {ReadStatus::end, {}};
      next_ = decoded_ = 0;
    }
    const std::string& path = paths_[next_];
    frame.index = next_++;
    frame.captured_at = std::chrono::steady_clock::now();
    Picture picture = load_picture(path);
    if (picture.image.empty()) return {ReadStatus::skipped, path + ": " + picture.reason};
    ++decoded_;
    frame.image = std::move(picture.image);
    return {};
  }
  const SourceInfo& info() const override { return info_; }

 private:
  std::string folder_;
  std::vector<std::string> paths_;
  bool loop_;
  std::size_t next_ = 0, decoded_ = 0;  // of this round
  SourceInfo info_;
};

}  // namespace

std::unique_ptr<VideoSource> open_picture_folder(const std::string& folder, bool loop) {
  std::vector<std::string> paths = list_pictures(folder);
  if (paths.empty()) {
    std::string names;
    for (const auto& extension : extensions)
      names += (names.empty() ? "" : " ") + std::string(extension.substr(1));
    throw Error(ExitCode::no_source, "no pictures in " + folder + " (looked for " + names + ")");
  }
  return std::make_unique<PictureFolder>(folder, std::move(paths), loop);
}

}  // namespace glimpse
