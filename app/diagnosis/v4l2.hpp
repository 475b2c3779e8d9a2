// What a /dev/video* says of itself, without its picture being touched: a program that uses it goes on.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace glimpse {

struct V4l2Device {
  std::string card, driver;
  bool captures = false;  // gives pictures of its own: no encoder, no output
  struct Format {
    std::string fourcc;              // "YUYV"
    std::vector<std::string> sizes;  // "640x480", or "32x32 to 1920x1080"
  };
  std::vector<Format> formats;

  /// Gives pictures that a program takes through V4L2. A Raspberry Pi has a dozen devices that are parts of
  /// its CSI cameras, whose raw data libcamera alone understands, and of its codecs.
  [[nodiscard]] bool is_camera() const;
};

/// ioctl(2), and what the tests put in its place.
using Ioctl = std::function<int(int file, unsigned long request, void* argument)>;
[[nodiscard]] Ioctl real_ioctl();

/// Or errno, of opening it or of asking.
[[nodiscard]] std::variant<V4l2Device, int> ask_v4l2(const std::string& device, const Ioctl& ioctl);

}  // namespace glimpse
