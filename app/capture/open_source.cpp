#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "capture/camera.hpp"
#include "capture/gstreamer.hpp"
#include "capture/live_source.hpp"
#include "capture/network.hpp"
#include "capture/picture.hpp"
#include "capture/picture_folder.hpp"
#include "capture/quiet.hpp"
#include "capture/test_pattern.hpp"
#include "capture/video_file.hpp"
#include "capture/video_source.hpp"
#include "core/error.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

/// What open_source() gives when a stop came before the camera did.
class StoppedSource : public VideoSource {
 public:
  explicit StoppedSource(const std::string& name) {
    info_.description = name + ", stopped before it was open";
  }
  ReadResult read(Frame&) override { return {ReadStatus::end, {}}; }
  const SourceInfo& info() const override { return info_; }

 private:
  SourceInfo info_;
};

std::unique_ptr<VideoSource> open_live(const std::string& name, const SourceFactory& open,
                                       const SourceOptions& options) {
  auto first = open_unless_stopped(open, options.stop);
  if (!first) return std::make_unique<StoppedSource>(name);
  if (!first->info().live) return first;
  return std::make_unique<LiveSource>(name, std::move(first), open);
}

bool is_camera_number(std::string_view uri) {
  return !uri.empty() && std::all_of(uri.begin(), uri.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// FFmpeg reads a raw MJPEG film, which begins like a JPEG picture.
bool is_raw_film(const std::string& path) {
  return path.ends_with(".mjpeg") || path.ends_with(".mjpg");
}

std::unique_ptr<VideoSource> open_path(const std::string& path, bool loop) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    const bool hidden =
        error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory;
    throw Error(ExitCode::no_source,
                hidden ? path + ": " + error.message()
                       : "no such source: '" + path +
                             "'. A source is a camera (0 or /dev/video0), csi, a video or picture " +
                             "file, a folder of pictures, rtsp://..., http://..., gst:PIPELINE or test");
  }
  if (fs::is_directory(status)) return open_picture_folder(path, loop);
  if (!fs::is_regular_file(status)) {  // reading from a FIFO would wait for ever
    throw Error(ExitCode::no_source, path + ": neither a file nor a folder");
  }
  if (!std::ifstream(path)) throw Error(ExitCode::no_source, path + ": cannot be read: permission denied");
  if (is_picture(path) && !is_raw_film(path)) return open_picture(path, loop);
  return open_video_file(path, loop);
}

std::unique_ptr<VideoSource> choose(const SourceOptions& options) {
  const std::string& uri = options.uri;
  const CameraOptions& camera = options.camera;
  if (uri == "test") return open_test_pattern(camera.fps);
  if (uri == "csi")
    return open_live(
        "CSI camera", [camera] { return open_csi(camera); }, options);
  if (uri.starts_with("gst:")) {
    return open_live(
        "pipeline", [pipeline = uri.substr(4)] { return open_gstreamer(pipeline); }, options);
  }
  if (uri.starts_with("rtsp://") || uri.starts_with("http://") || uri.starts_with("https://")) {
    return open_live(
        without_secrets(uri), [uri, loop = options.loop] { return open_network(uri, loop); }, options);
  }
  if (is_camera(uri)) {
    const std::string device = is_camera_number(uri) ? "/dev/video" + uri : uri;
    return open_live(
        "camera " + device, [device, camera] { return open_camera(device, camera); }, options);
  }
  return open_path(uri, options.loop);
}

}  // namespace

bool is_camera(const std::string& uri) {
  return uri == "csi" || is_camera_number(uri) || uri.starts_with("/dev/");
}

std::unique_ptr<VideoSource> open_source(const SourceOptions& options) {
  quiet_libraries();
  try {
    return choose(options);
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {  // of OpenCV or of the file system, whose texts help no user
    throw Error(ExitCode::no_source, without_secrets(options.uri) + ": cannot be opened");
  }
}

}  // namespace glimpse
