#include <sys/stat.h>

#include "support.hpp"

using namespace glimpse;
using namespace glimpse::test;

TEST_CASE("what does not exist is named, and the kinds of source are listed") {
  for (const char* uri : {"missing.mp4", "", "-1", "ftp://host/clip.mp4", "missing/folder/", "TEST"}) {
    const Refusal refused = refusal(uri);
    CHECK(refused.code == ExitCode::no_source);
    CHECK_THAT(refused.text, ContainsSubstring("no such source: '" + std::string(uri) + "'"));
    CHECK_THAT(refused.text, ContainsSubstring("gst:PIPELINE"));
  }
  const TempFolder folder;
  write_file(folder / "file", "x");
  CHECK_THAT(refusal(folder / "file/clip.mp4").text, ContainsSubstring("no such source"));
}

TEST_CASE("a FIFO is refused at once instead of waiting for a writer") {
  const TempFolder folder;
  REQUIRE(mkfifo((folder / "pipe.mp4").c_str(), 0600) == 0);
  CHECK(refusal(folder / "pipe.mp4").code == ExitCode::no_source);
  CHECK(refusal(folder / "pipe.mp4").text == folder / "pipe.mp4: neither a file nor a folder");
  REQUIRE(mkfifo((folder / "pipe.png").c_str(), 0600) == 0);
  CHECK_THAT(refusal(folder.path()).text, ContainsSubstring("no pictures in"));
}

TEST_CASE("a file or a folder that this user may not read") {
  if (geteuid() != 0) {
    WARN("SKIPPED: only root can become another user");
    return;
  }
  const TempFolder folder;
  write_file(folder / "clip.mp4", "x");
  std::filesystem::create_directory(folder / "pictures");
  std::filesystem::permissions(folder / "clip.mp4", std::filesystem::perms::owner_all);
  std::filesystem::permissions(folder / "pictures", std::filesystem::perms::owner_all);
  let_others_in(folder);
  REQUIRE(seteuid(65534) == 0);
  const Refusal file = refusal(folder / "clip.mp4"), pictures = refusal(folder / "pictures");
  const Refusal hidden = refusal(folder / "pictures/a.png");
  REQUIRE(seteuid(0) == 0);
  CHECK(file.code == ExitCode::no_source);
  CHECK(file.text == folder / "clip.mp4: cannot be read: permission denied");
  CHECK(pictures.code == ExitCode::no_source);
  CHECK_THAT(pictures.text, ContainsSubstring("cannot be listed: Permission denied"));
  CHECK_THAT(hidden.text, ContainsSubstring("Permission denied"));
}
