#include "capture/mp4_duration.hpp"

#include <cstdint>
#include <fstream>
#include <optional>

namespace glimpse {
namespace {

struct Box {
  std::string type;
  std::uint64_t begin = 0, end = 0;  // of what is inside, as offsets in the file
};

class Mp4 {
 public:
  explicit Mp4(const std::string& path) : file_(path, std::ios::binary) {
    file_.seekg(0, std::ios::end);
    size_ = file_ ? static_cast<std::uint64_t>(file_.tellg()) : 0;
  }

  double shown_seconds() {
    const auto movie = find({"", 0, size_}, "moov", 0);
    if (!movie) return 0;
    const auto header = find(*movie, "mvhd", movie->begin);
    if (!header) return 0;
    const double timescale = static_cast<double>(number(header->begin + (is_long(*header) ? 20 : 12), 4));
    for (auto track = find(*movie, "trak", movie->begin); track; track = find(*movie, "trak", track->end)) {
      const auto about = find(*track, "tkhd", track->begin);
      if (!about) continue;
      const bool wide = is_long(*about);
      const bool has_width = number(about->begin + (wide ? 88 : 76), 4) != 0;  // sound has none
      if (!has_width || timescale == 0) continue;
      const std::uint64_t duration = number(about->begin + (wide ? 28 : 20), wide ? 8 : 4);
      const bool unknown = duration == (wide ? ~std::uint64_t{0} : 0xffffffffu);
      return unknown ? 0 : static_cast<double>(duration) / timescale;
    }
    return 0;
  }

 private:
  /// Big-endian, 0 past the end of the file.
  std::uint64_t number(std::uint64_t at, int bytes) {
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(at));
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      const int byte = file_.get();
      if (byte < 0) return 0;
      value = value << 8 | static_cast<unsigned>(byte);
    }
    return value;
  }
  bool is_long(const Box& box) { return number(box.begin, 1) == 1; }  // version 1 has 64-bit times

  /// The next box of this type inside `parent`, from offset `at` on.
  std::optional<Box> find(const Box& parent, const std::string& type, std::uint64_t at) {
    while (at + 8 <= parent.end) {
      std::uint64_t length = number(at, 4), head = 8;
      if (length == 1) {
        length = number(at + 8, 8);
        head = 16;
      } else if (length == 0) {
        length = parent.end - at;
      }
      if (length < head || length > parent.end - at) return std::nullopt;  // broken, or cut off
      std::string name;
      for (std::uint64_t i = 4; i < 8; ++i) name += static_cast<char>(number(at + i, 1));
      if (name == type) return Box{name, at + head, at + length};
      at += length;
    }
    return std::nullopt;
  }

  std::ifstream file_;
  std::uint64_t size_ = 0;
};

}  // namespace

double mp4_shown_seconds(const std::string& path) {
  return Mp4(path).shown_seconds();
}

}  // namespace glimpse
