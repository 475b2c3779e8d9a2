#include "diagnosis/v4l2.hpp"

#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "core/file_descriptor.hpp"

namespace glimpse {
namespace {

constexpr unsigned most_formats = 32, most_sizes = 64;  // a driver that never ends its list

std::string text_of(const unsigned char* bytes, std::size_t size) {
  const auto* const begin = reinterpret_cast<const char*>(bytes);
  return {begin, std::find(begin, begin + size, '\0')};
}

std::string size_text(unsigned width, unsigned height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

std::string fourcc_text(unsigned code) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(code >> shift & 0x7f);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

std::vector<std::string> sizes_of(int file, unsigned pixel_format, const Ioctl& ioctl) {
  std::vector<std::string> sizes;
  for (unsigned index = 0; index < most_sizes; ++index) {
    v4l2_frmsizeenum size{};
    size.index = index;
    size.pixel_format = pixel_format;
    if (ioctl(file, VIDIOC_ENUM_FRAMESIZES, &size) != 0) break;
    if (size.type != V4L2_FRMSIZE_TYPE_DISCRETE) {
      sizes.push_back(size_text(size.stepwise.min_width, size.stepwise.min_height) + " to " +
                      size_text(size.stepwise.max_width, size.stepwise.max_height));
      break;
    }
    sizes.push_back(size_text(size.discrete.width, size.discrete.height));
  }
  return sizes;
}

}  // namespace

bool V4l2Device::is_camera() const {
  // linux/drivers/media/platform: broadcom/bcm2835-unicam.c and raspberrypi/ of mainline, bcm2835-codec,
  // bcm2835-isp and hevc-dec of github.com/raspberrypi/linux
  constexpr std::string_view parts[] = {"unicam",        "bcm2835-unicam", "rp1-cfe", "bcm2835-isp",
                                        "bcm2835-codec", "pispbe",         "rpivid",  "rpi-hevc-dec"};
  return captures && std::find(std::begin(parts), std::end(parts), driver) == std::end(parts);
}

Ioctl real_ioctl() {
  return [](int file, unsigned long request, void* argument) {
    int result = 0;
    while ((result = ::ioctl(file, request, argument)) < 0 && errno == EINTR) {
    }
    return result;
  };
}

std::variant<V4l2Device, int> ask_v4l2(const std::string& device, const Ioctl& ioctl) {
  const FileDescriptor file(open(device.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  v4l2_capability capability{};
  if (file.get() < 0 || ioctl(file.get(), VIDIOC_QUERYCAP, &capability) != 0) return errno;
  const unsigned can = (capability.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? capability.device_caps
                                                                             : capability.capabilities;
  V4l2Device found;
  found.card = text_of(capability.card, sizeof capability.card);
  found.driver = text_of(capability.driver, sizeof capability.driver);
  found.captures = (can & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE)) != 0;
  if (!found.captures) return found;
  for (unsigned index = 0; index < most_formats; ++index) {
    v4l2_fmtdesc format{};
    format.index = index;
    format.type = (can & V4L2_CAP_VIDEO_CAPTURE) != 0 ? V4L2_BUF_TYPE_VIDEO_CAPTURE
                                                      : V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
    if (ioctl(file.get(), VIDIOC_ENUM_FMT, &format) != 0) break;
    found.formats.push_back(
        {fourcc_text(format.pixelformat), sizes_of(file.get(), format.pixelformat, ioctl)});
  }
  return found;
}

}  // namespace glimpse
