#include "diagnosis/sources.hpp"

#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "capture/gstreamer_pipeline.hpp"
#include "capture/quiet.hpp"
#include "diagnosis/failure.hpp"
#include "diagnosis/user.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

std::string camera_group() {
  return "sudo usermod -aG video " + user_name() + ", then log in again, or restart the service";
}

std::vector<std::string> video_devices(const std::string& folder) {
  std::vector<std::string> devices;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().starts_with("video")) devices.push_back(entry->path().string());
  }
  // video2 before video10
  std::sort(devices.begin(), devices.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return devices;
}

std::string list(const std::vector<std::string>& words, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), most); ++i) text += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > most) text += " and " + std::to_string(words.size() - most) + " more";
  return text;
}

std::string describe(const V4l2Device& device) {
  std::string text = device.card + " (" + device.driver + ")";
  for (const auto& [fourcc, sizes] : device.formats)
    text += "; " + fourcc + (sizes.empty() ? "" : " " + list(sizes, 6));
  return text;
}

bool denied(int error) {
  return error == EACCES || error == EPERM;
}

Check check_device(const std::string& device, const Ioctl& ioctl) {
  std::error_code error;
  if (!fs::exists(device, error)) {
    return Check::fail("source", "there is no " + device,
                       "plug one in, or name another source: --source test needs none", ExitCode::no_source);
  }
  const auto asked = ask_v4l2(device, ioctl);
  if (const int* problem = std::get_if<int>(&asked)) {
    return Check::fail("source", device + ": " + std::strerror(*problem),
                       denied(*problem) ? camera_group() : "name a camera with --source",
                       ExitCode::no_source);
  }
  const auto& found = std::get<V4l2Device>(asked);
  if (!found.is_camera()) {
    return Check::fail("source",
                       device + " gives no pictures: it is " + found.card + " (" + found.driver + ")",
                       "--source csi for a CSI camera, or the number of a USB camera", ExitCode::no_source);
  }
  return Check::ok("source", device + ", " + found.card + "; not opened, so that who uses it goes on");
}

/// Opens it and takes a frame; the examination's limit is the limit.
Check check_by_reading(const SourceOptions& options) {
  const auto source = open_source(options);
  for (;;) {
    Frame frame;
    const ReadResult result = source->read(frame);
    switch (result.status) {
      case ReadStatus::frame:
        return Check::ok("source", source->info().description);
      case ReadStatus::end:
        return Check::fail("source", source->info().description + ": ended before its first frame",
                           "name another source with --source", ExitCode::bad_data);
      case ReadStatus::failed:
      case ReadStatus::stuck:
        return failure("source", Error(ExitCode::bad_data, result.reason));
      case ReadStatus::skipped:
      case ReadStatus::timeout:
        break;
    }
  }
}

}  // namespace

Checks check_cameras(const std::string& folder, const Ioctl& ioctl) {
  const std::vector<std::string> devices = video_devices(folder);
  if (devices.empty()) {
    return {Check::ok("cameras", "there is no " + folder + "/video*: no camera is plugged in")};
  }
  Checks checks;
  std::map<std::string, std::vector<std::string>> others;  // by driver
  for (const std::string& device : devices) {
    const auto asked = ask_v4l2(device, ioctl);
    if (const int* problem = std::get_if<int>(&asked)) {
      checks.push_back(Check::warn("camera " + device, std::strerror(*problem),
                                   denied(*problem) ? camera_group() : "unplug it and plug it in again"));
    } else if (const auto& found = std::get<V4l2Device>(asked); found.is_camera()) {
      checks.push_back(Check::ok("camera " + device, describe(found)));
    } else {
      others[found.driver].push_back(device);
    }
  }
  std::vector<std::string> parts;  // a Raspberry Pi 5 has dozens
  for (const auto& [driver, all] : others)
    parts.push_back(driver +
                    (all.size() == 1 ? " (" + all.front() + ")" : " ×" + std::to_string(all.size())));
  if (!parts.empty())
    checks.push_back(Check::ok("cameras", "no cameras of their own: " + list(parts, parts.size())));
  return checks;
}

Check check_libcamera(bool wanted, const std::string& root) {
  for (const char* pattern : {"/usr/lib/*/libcamera.so.*", "/usr/lib/libcamera.so.*",
                              "/usr/local/lib/*/libcamera.so.*", "/usr/local/lib/libcamera.so.*"}) {
    glob_t found{};
    const bool is_there = glob((root + pattern).c_str(), 0, nullptr, &found) == 0;
    const std::string file = is_there ? found.gl_pathv[found.gl_pathc - 1] : "";
    globfree(&found);
    if (is_there) return Check::ok("libcamera", file.substr(root.size()));
  }
  const char* const install = "sudo apt install gstreamer1.0-libcamera";
  if (wanted) return Check::fail("libcamera", "not installed", install, ExitCode::no_source);
  return Check::ok("libcamera", "not installed; only --source csi needs it", install);
}

Check check_libcamerasrc(bool wanted, const Parse& parse) {
  const char* const install = "sudo apt install gstreamer1.0-libcamera";
  const auto missing = [&](const std::string& what) {
    if (wanted) return Check::fail("libcamerasrc", what, install, ExitCode::no_source);
    return Check::ok("libcamerasrc", what + "; only --source csi needs it", install);
  };
  if (!parse("libcamerasrc").empty()) return missing("GStreamer's plugin for libcamera is not installed");
  return Check::ok("libcamerasrc", "GStreamer has it");
}

Check check_source(const SourceOptions& source, const Ioctl& ioctl, const Parse& parse) {
  const std::string& uri = source.uri;
  if (uri.empty()) {
    if (!fs::exists("/dev/video0"))
      return Check::warn("source", "none is named, and there is no camera 0 for a run to take",
                         "plug one in, or name another with --source: test needs none");
    return check_device("/dev/video0", ioctl);
  }
  if (uri == "csi")
    return Check::ok("source",
                     "csi: whether a camera is attached is seen by opening it alone, and somebody may use it",
                     "cam --list names the cameras: sudo apt install libcamera-tools");
  if (is_camera(uri)) return check_device(uri.starts_with('/') ? uri : "/dev/video" + uri, ioctl);
  if (!uri.starts_with("gst:")) return check_by_reading(source);
  const std::string wrong = parse(uri.substr(4));
  if (wrong.empty())  // not the pipeline itself: it may hold a password
    return Check::ok("source", "gst: pipeline; understood, not started, so that who uses its camera goes on");
  return Check::fail("source", "GStreamer refuses the pipeline: " + wrong,
                     "try it: gst-launch-1.0 (apt install gstreamer1.0-tools)", ExitCode::no_source);
}

std::vector<Examination> source_examinations(const SourceOptions& source) {
  using namespace std::chrono_literals;
  const bool csi = source.uri == "csi";
  return {
      {"cameras",
       10s,
       [] { return check_cameras("/dev", real_ioctl()); },
       ExitCode::no_source,
       {},
       "a driver hangs: unplug the cameras, or restart the machine"},
      {"libcamera", 5s, [csi] { return Checks{check_libcamera(csi)}; }},
      {"libcamerasrc", 20s,  // GStreamer looks through all its plugins the first time
       [csi] {
         quiet_libraries();
         return Checks{check_libcamerasrc(csi, pipeline_error)};
       },
       ExitCode::no_source},
      {"source", 15s,
       [source] {
         quiet_libraries();
         return Checks{check_source(source, real_ioctl(), pipeline_error)};
       },
       ExitCode::no_source,
       csi ? std::vector<std::string>{"libcamera", "libcamerasrc"} : std::vector<std::string>{},
       "name another one with --source, or try this one with another program: ffplay (sudo apt install "
       "ffmpeg)"},
  };
}

}  // namespace glimpse
