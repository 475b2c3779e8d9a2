#include "capture/picture.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <opencv2/imgcodecs.hpp>
#include <string_view>
#include <vector>

#include "capture/frame_pool.hpp"
#include "capture/pixels.hpp"
#include "core/error.hpp"

namespace glimpse {
namespace {

using Bytes = std::vector<unsigned char>;

/// JPEG, ITU-T T.81 annex B: segments with a length up to SOS, then the scan, then EOI. libjpeg fills what is
/// missing with grey and calls it a success, so a file cut short is found here.
bool is_cut_jpeg(const Bytes& bytes) {
  if (bytes.size() < 4 || bytes[0] != 0xff || bytes[1] != 0xd8) return false;
  std::size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == 0xff) {
    if (bytes[at + 1] == 0xda) {
      for (std::size_t i = bytes.size() - 2; i > at; --i) {
        if (bytes[i] == 0xff && bytes[i + 1] == 0xd9) return false;
      }
      return true;
    }
    at += bytes[at + 1] == 0xff ? 1 : 2u + (static_cast<std::size_t>(bytes[at + 2]) << 8 | bytes[at + 3]);
  }
  return at + 4 > bytes.size();
}

/// PNG ends with the chunk IEND. libpng writes to stderr about a file without it.
bool is_cut_png(const Bytes& bytes) {
  static constexpr std::string_view signature = "\x89PNG\r\n\x1a\n", last_chunk = "IEND";
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.starts_with(signature) && text.rfind(last_chunk) == std::string_view::npos;
}

class PictureFile : public VideoSource {
 public:
  PictureFile(const std::string& path, cv::Mat image, bool loop) : image_(std::move(image)), loop_(loop) {
    info_.description =
        path + ", one picture of " + std::to_string(image_.cols) + "x" + std::to_string(image_.rows);
  }

  ReadResult read(Frame& frame) override {
    if (given_ && !loop_) return {ReadStatus::end, {}};
    given_ = true;
    cv::Mat& copy = pool_.next();  // the reader may draw on what it gets
    image_.copyTo(copy);
    frame.image = copy;
    frame.index = 0;
    frame.captured_at = std::chrono::steady_clock::now();
    return {};
  }
  const SourceInfo& info() const override { return info_; }

 private:
  cv::Mat image_;
  FramePool pool_;
  bool loop_, given_ = false;
  SourceInfo info_;
};

}  // namespace

Picture load_picture(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {{}, std::strerror(errno)};
  const Bytes bytes(std::istreambuf_iterator<char>(file), {});
  if (bytes.empty()) return {{}, "the file is empty"};
  if (is_cut_jpeg(bytes) || is_cut_png(bytes)) return {{}, "the file is truncated"};
  try {
    cv::Mat image = to_bgr(cv::imdecode(bytes, cv::IMREAD_COLOR));
    if (image.empty()) return {{}, "not a picture, or damaged"};
    return {std::move(image), {}};
  } catch (const std::exception&) {  // OpenCV's text is its source line, no help to the user
    return {{}, "damaged, or too large to decode"};
  }
}

bool is_picture(const std::string& path) {
  try {
    return cv::haveImageReader(path);
  } catch (const cv::Exception&) {
    return false;
  }
}

std::unique_ptr<VideoSource> open_picture(const std::string& path, bool loop) {
  Picture picture = load_picture(path);
  if (picture.image.empty()) throw Error(ExitCode::bad_data, path + ": " + picture.reason);
  return std::make_unique<PictureFile>(path, std::move(picture.image), loop);
}

}  // namespace glimpse
