#include "capture/network.hpp"

#include <chrono>

#include "capture/live_capture.hpp"
#include "capture/video_file.hpp"
#include "core/error.hpp"

namespace glimpse {
namespace {

constexpr int open_ms = 10000;
constexpr int read_ms =
    4000;  // below LiveSource's patience: the stream then ends by itself, and its thread with it

cv::VideoCapture connect(const std::string& uri) {
  return try_open(uri, cv::CAP_FFMPEG,
                  {cv::CAP_PROP_OPEN_TIMEOUT_MSEC, open_ms, cv::CAP_PROP_READ_TIMEOUT_MSEC, read_ms});
}

}  // namespace

std::string without_secrets(const std::string& uri) {
  const std::size_t host = uri.find("://");
  if (host == std::string::npos) return uri;
  const std::size_t end = uri.find_first_of("/?#", host + 3), at = uri.rfind('@', end);
  const std::size_t from = at == std::string::npos || at < host ? host + 3 : at + 1;
  return uri.substr(0, host + 3) + uri.substr(from, uri.find_first_of("?#", from) - from);
}

std::unique_ptr<VideoSource> open_network(const std::string& uri, bool loop) {
  const std::string name = without_secrets(uri);
  const auto start = std::chrono::steady_clock::now();
  cv::VideoCapture capture = connect(uri);
  if (!capture.isOpened()) {
    const bool silent = std::chrono::steady_clock::now() - start > std::chrono::milliseconds(open_ms - 500);
    throw Error(ExitCode::no_source,
                name + (silent ? ": no answer within 10 s"
                               : ": cannot be opened (host or path wrong, refused, or no video)"));
  }
  const double frames = capture.get(cv::CAP_PROP_FRAME_COUNT);
  if (frames > 0 && frames < 1e9) {
    return play_video(
        name, std::move(capture), [uri] { return connect(uri); }, 0, loop);
  }
  return read_live(std::move(capture), name);
}

}  // namespace glimpse
