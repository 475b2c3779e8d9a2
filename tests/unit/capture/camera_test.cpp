#include "capture/camera.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

TEST_CASE("a camera that is not there: which one, and which there are") {
  for (const char* uri : {"97", "/dev/video97"}) {
    const Refusal refused = refusal(uri);
    CHECK(refused.code == ExitCode::no_source);
    CHECK_THAT(refused.text, ContainsSubstring("no camera /dev/video97; there is "));
  }
  CHECK(refusal("99999999999999999999999").code == ExitCode::no_source);
  CHECK_THAT(refusal("/dev/null").text, ContainsSubstring("/dev/null: gives no pictures"));
}

TEST_CASE("the cameras there are") {
  const TempFolder folder;
  CHECK(describe_cameras(folder.path()) ==
        "; there is no " + folder.path() + "/video* at all: is a camera plugged in?");
  for (const char* name : {"video2", "video0", "null"}) write_file(folder / name, "");
  CHECK(describe_cameras(folder.path()) == "; there is " + folder / "video0" + ", " + folder / "video2");
  CHECK_THAT(describe_cameras(folder / "missing"), ContainsSubstring("there is no "));
}

TEST_CASE("a camera that this user may not open: the command that mends it") {
  const TempFolder folder;
  const std::string device = folder / "video0";
  if (geteuid() != 0 || mknod(device.c_str(), S_IFCHR, makedev(1, 3)) != 0) {
    WARN("SKIPPED: only root can make a device file that others may not open");
    return;
  }
  std::filesystem::permissions(device, std::filesystem::perms::none);
  let_others_in(folder);
  REQUIRE(seteuid(65534) == 0);
  std::string text;
  try {
    (void)open_camera(device, {});
  } catch (const Error& error) {
    text = error.what();
  }
  REQUIRE(seteuid(0) == 0);
  CHECK(text == device + ": permission denied; run: sudo usermod -aG video $USER, then log in again");
}
