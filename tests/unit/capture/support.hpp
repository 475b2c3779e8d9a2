// What the capture tests share: a folder of their own, media whose content says which frame it is, and stderr
// as text.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "capture/video_source.hpp"
#include "catch.hpp"
#include "core/error.hpp"

namespace glimpse::test {

class TempFolder {
 public:
  TempFolder() {
    std::string name = std::filesystem::temp_directory_path() / "glimpse-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ / name; }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What is written to file descriptor 2 while this lives: by us or by a library.
class CapturedStderr {
 public:
  CapturedStderr() : saved_(dup(2)), file_(std::tmpfile()) {
    std::fflush(stderr);
    dup2(fileno(file_), 2);
  }
  ~CapturedStderr() { restore(); }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;
  std::string text() {
    restore();
    std::rewind(file_);
    std::string all;
    for (int c; (c = std::fgetc(file_)) != EOF;) all += static_cast<char>(c);
    return all;
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    std::fflush(stderr);
    dup2(saved_, 2);
    close(saved_);
    saved_ = -1;
  }
  int saved_;
  std::FILE* file_;
};

/// Frame i of a test video shows i as eight bars: bit n is 1 where bar n is white. No lossy coding mistakes
/// that.
inline cv::Mat frame_showing(int i) {
  cv::Mat image(48, 64, CV_8UC3, cv::Scalar::all(0));
  for (int bit = 0; bit < 8; ++bit) {
    if (i >> bit & 1) image.colRange(8 * bit, 8 * bit + 8).setTo(cv::Scalar::all(255));
  }
  return image;
}

inline int frame_number(const cv::Mat& image) {
  int number = 0;
  for (int bit = 0; bit < 8; ++bit) number |= (image.at<cv::Vec3b>(24, 8 * bit + 4)[1] > 127) << bit;
  return number;
}

/// `code`: what it is coded in, four letters. All pictures are of one size.
inline void write_video(const std::string& path, const std::vector<cv::Mat>& pictures, const char* code) {
  cv::VideoWriter writer(path, cv::CAP_FFMPEG, cv::VideoWriter::fourcc(code[0], code[1], code[2], code[3]),
                         30, pictures.at(0).size());
  if (!writer.isOpened()) throw std::runtime_error("cannot write " + path);
  for (const cv::Mat& picture : pictures) writer.write(picture);
}

inline void write_video(const std::string& path, int frames, const char* code) {
  std::vector<cv::Mat> pictures;
  for (int i = 0; i < frames; ++i) pictures.push_back(frame_showing(i));
  write_video(path, pictures, code);
}

/// The next frame of a live source that is there; waits 10 s at least.
inline bool next_frame(VideoSource& source, Frame& frame) {
  for (int i = 0; i < 100; ++i) {
    if (source.read(frame).status == ReadStatus::frame) return true;
  }
  return false;
}

/// False, and said in the test's output, where the ffmpeg program is missing or cannot do it.
inline bool ffmpeg(const std::string& arguments) {
  const bool done = std::system(("ffmpeg -nostdin -loglevel quiet -y " + arguments).c_str()) == 0;
  if (!done) WARN("SKIPPED: ffmpeg " << arguments);
  return done;
}

inline std::unique_ptr<VideoSource> open_uri(const std::string& uri, bool loop = false) {
  SourceOptions options;
  options.uri = uri;
  options.loop = loop;
  return open_source(options);
}

/// Lets a user who is neither the owner nor of the group reach what is in the folder.
inline void let_others_in(const TempFolder& folder) {
  using std::filesystem::perms;
  std::filesystem::permissions(folder.path(), perms::owner_all | perms::group_exec | perms::others_exec);
}

/// The code and text with which opening fails.
struct Refusal {
  ExitCode code = ExitCode::ok;
  std::string text;
};
inline Refusal refusal(const std::string& uri) {
  try {
    (void)open_uri(uri);
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

}  // namespace glimpse::test
