#include "capture/camera_options.hpp"

#include <charconv>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

constexpr int smallest = 16, largest = 10000;  // pixels a side

std::optional<cv::Size> parse_size(const std::string& text) {
  const char* const end = text.data() + text.size();
  cv::Size size;
  const auto [cross, bad_width] = std::from_chars(text.data(), end, size.width);
  if (bad_width != std::errc{} || cross == end || *cross != 'x') return std::nullopt;
  const auto [rest, bad_height] = std::from_chars(cross + 1, end, size.height);
  if (bad_height != std::errc{} || rest != end) return std::nullopt;
  const auto fits = [](int side) { return side >= smallest && side <= largest; };
  return fits(size.width) && fits(size.height) ? std::optional(size) : std::nullopt;
}

std::optional<Flip> parse_flip(const std::string& text) {
  if (text == "none") return Flip::none;
  if (text == "horizontal") return Flip::horizontal;
  if (text == "vertical") return Flip::vertical;
  if (text == "180") return Flip::half_turn;
  return std::nullopt;
}

[[noreturn]] void refuse(const std::string& flag, const std::string& expected, const std::string& got) {
  throw Error(ExitCode::usage, flag + ": expected " + expected + ", got \"" + escape_control(got) + "\"");
}

}  // namespace

CameraOptions camera_options(double fps, const std::string& size, const std::string& flip) {
  CameraOptions options;
  options.fps = fps;
  if (!size.empty()) {
    options.size = parse_size(size);
    if (!options.size) refuse("--size", "WIDTHxHEIGHT, each from 16 to 10000, such as 1280x720", size);
  }
  const auto parsed = parse_flip(flip);
  if (!parsed) refuse("--flip", "none, horizontal, vertical or 180", flip);
  options.flip = *parsed;
  return options;
}

}  // namespace glimpse
