#include "capture/camera_options.hpp"

#include "catch.hpp"
#include "core/error.hpp"

using namespace glimpse;

namespace {

std::string refused(const std::string& size, const std::string& flip) {
  try {
    (void)camera_options(36, size, flip);
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("a size is two numbers with an x between them, and none asked for is none") {
  CHECK_FALSE(camera_options(36, "", "none").size);
  CHECK(camera_options(36, "1280x720", "none").size == cv::Size(1280, 720));
  CHECK(camera_options(36, "16x10000", "none").size == cv::Size(16, 10000));
  for (const char* size :
       {"0x0", "640", "640x", "x480", "99999x1", "1x99999", "640X480", "640x480x3", "-640x480", "640 x 480",
        "15x480", "10001x480", "99999999999x480", "640x480 ", "axb", "+640x480"}) {
    CHECK(refused(size, "none") ==
          "--size: expected WIDTHxHEIGHT, each from 16 to 10000, such as 1280x720, got \"" +
              std::string(size) + "\"");
  }
}

TEST_CASE("a flip is one of four words") {
  CHECK(camera_options(36, "", "none").flip == Flip::none);
  CHECK(camera_options(36, "", "horizontal").flip == Flip::horizontal);
  CHECK(camera_options(36, "", "vertical").flip == Flip::vertical);
  CHECK(camera_options(36, "", "180").flip == Flip::half_turn);
  for (const char* flip : {"sideways", "", "90", "Horizontal", "180 "}) {
    CHECK(refused("", flip) ==
          "--flip: expected none, horizontal, vertical or 180, got \"" + std::string(flip) + "\"");
  }
  CHECK(refused("", "a\nb").find('\n') == std::string::npos);
}
