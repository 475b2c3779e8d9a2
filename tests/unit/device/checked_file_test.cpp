#include "device/checked_file.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "certificates.hpp"

namespace fs = std::filesystem;
using namespace glimpse;

namespace {

std::string read_private(const std::string& path) {
  const Secret bytes = read_private_file("key", path);
  return {bytes.data(), bytes.size()};
}

std::string refusal(const std::string& path) {
  return refusal_of([&] { (void)read_private(path); });
}

const bool as_root = geteuid() == 0;

/// A key of mode 0600 in a folder of its own, as far as this code looks: any text will do.
struct KeyFile {
  KeyFile() { set_mode(path, 0600); }
  TempFolder folder;
  const std::string path = folder.write("it.key", "the key").string();
};

}  // namespace

TEST_CASE("a private file: of all modes 0400 and 0600 alone are right") {
  const KeyFile key;
  for (mode_t mode = 0; mode <= 07777; ++mode) {
    if (mode > 0777 && (mode & 0777) != 0600)
      continue;  // with setuid, setgid and sticky bit only the good one
    set_mode(key.path, mode);
    char octal[8] = "";
    snprintf(octal, sizeof(octal), "%04o", mode);
    INFO(octal);
    if (mode == 0600 || mode == 0400) {
      CHECK(read_private(key.path) == "the key");
    } else {
      CHECK_THAT(refusal(key.path), ContainsSubstring(std::string("has mode ") + octal) &&
                                        ContainsSubstring("chmod 600 " + key.path));
    }
  }
}

TEST_CASE("a private file of another user is refused, one of root's is taken") {
  const KeyFile key;
  if (!as_root) {
    WARN("not root, who alone can give files away: left out");
    return;
  }
  REQUIRE(chown(key.path.c_str(), 12345, 12345) == 0);
  CHECK_THAT(refusal(key.path), ContainsSubstring("uid 12345") && ContainsSubstring("chown 0 " + key.path));
  REQUIRE(chown(key.path.c_str(), 0, 12345) == 0);
  CHECK(refusal(key.path).empty());
}

TEST_CASE("a private file behind a symbolic link is refused, with the path to give instead") {
  const KeyFile key;
  const std::string link = key.folder.path() / "link.key";
  fs::create_symlink("it.key", link);
  CHECK_THAT(refusal(link),
             ContainsSubstring("symbolic link") && ContainsSubstring(fs::canonical(key.path).string()));
  fs::remove(key.path);
  CHECK_THAT(refusal(link), ContainsSubstring("symbolic link"));
  const Secret followed = read_checked_file("CA file", [&] {
    key.folder.write("it.key", "an authority");
    return link;
  }());
  CHECK(std::string(followed.data(), followed.size()) == "an authority");
}

TEST_CASE("the folder of a private file is ours or root's, and nobody else's to write to") {
  const KeyFile key;
  const std::string folder = key.folder.path();
  for (const mode_t good : {0700, 0500, 0750, 0755, 0711, 01777, 02755}) {
    set_mode(folder, good);
    CHECK(refusal(key.path).empty());
  }
  for (const mode_t bad : {0777, 0775, 0770, 0757, 0702, 02770}) {
    set_mode(folder, bad);
    CHECK_THAT(refusal(key.path), ContainsSubstring("lies in a folder that others can write to") &&
                                      ContainsSubstring("chmod go-w " + folder));
  }
  set_mode(folder, 0700);

  // Reached through a link: the folder it leads to counts.
  const TempFolder elsewhere;
  const fs::path link = elsewhere.path() / "certs";
  fs::create_directory_symlink(folder, link);
  CHECK(refusal(link / "it.key").empty());
  set_mode(folder, 0777);
  CHECK_FALSE(refusal(link / "it.key").empty());
  set_mode(folder, 0700);

  if (as_root) {
    REQUIRE(chown(folder.c_str(), 12345, 0) == 0);
    CHECK_THAT(refusal(key.path),
               ContainsSubstring("folder of another user") && ContainsSubstring("uid 12345"));
    REQUIRE(chown(folder.c_str(), 0, 12345) == 0);  // /etc/glimpse: root:glimpse 0750
    CHECK(refusal(key.path).empty());
  }
}

TEST_CASE("a private file without a folder in its name lies in the current one") {
  const KeyFile key;
  const fs::path before = fs::current_path();
  fs::current_path(key.folder.path());
  const std::string good = refusal("it.key");
  set_mode(".", 0777);
  const std::string bad = refusal("it.key");
  fs::current_path(before);
  CHECK(good.empty());
  CHECK_THAT(bad, ContainsSubstring("chmod go-w ."));
}

TEST_CASE("what is no file is refused, at once") {
  const TempFolder folder;
  const std::string fifo = folder.path() / "fifo", door = folder.path() / "socket";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  door.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const FileDescriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);

  for (const std::string& path : {fifo, door, std::string("/dev/zero"), folder.path().string(),
                                  folder.path().string() + "/", folder.path().string() + "/."}) {
    CHECK_THAT(refusal(path), ContainsSubstring("is not a file"));
    CHECK_THAT(refusal_of([&] { (void)read_checked_file("CA file", path); }),
               ContainsSubstring("is not a file"));
  }
  CHECK_THAT(refusal(folder.path() / "none"), ContainsSubstring("No such file"));
  CHECK_THAT(refusal(folder.path() / "none" / "it.key"), ContainsSubstring("No such file"));
  CHECK_THAT(refusal(fifo + "/it.key"), ContainsSubstring("Not a directory"));
  CHECK_FALSE(refusal("").empty());
}

TEST_CASE("1 MiB is the most that is read") {
  const KeyFile key;
  fs::resize_file(key.path, 1024 * 1024);
  CHECK(read_private(key.path).size() == 1024 * 1024);
  fs::resize_file(key.path, 1024 * 1024 + 1);
  CHECK_THAT(refusal(key.path), ContainsSubstring("larger than 1 MiB"));
  fs::resize_file(key.path, std::uintmax_t{1} << 40);
  CHECK_THAT(refusal(key.path), ContainsSubstring("larger than 1 MiB"));
}

TEST_CASE("names that are swapped under the reader's hands: nothing unchecked is ever read") {
  const KeyFile key;
  const fs::path folder = key.folder.path();
  key.folder.write("open.key", "a key for all");
  set_mode(folder / "open.key", 0644);
  const auto put = [&](const fs::path& what) { fs::rename(what, folder / "swapped"); };
  std::atomic<bool> done = false;
  std::thread swapper([&] {
    while (!done) {
      fs::create_symlink("open.key", folder / "1");
      put(folder / "1");
      fs::create_hard_link(folder / "open.key", folder / "2");
      put(folder / "2");
      fs::copy_file(key.path, folder / "3");  // copies the mode too
      put(folder / "3");
    }
  });
  int taken = 0, refused = 0;
  for (int i = 0; i < 200'000 && (i < 5'000 || taken < 100 || refused < 100); ++i) {
    try {
      const std::string text = read_private(folder / "swapped");
      ++taken;
      if (text != "the key") FAIL_CHECK("read: " + text);
    } catch (const Error&) {
      ++refused;
    }
  }
  done = true;
  swapper.join();
  CHECK(taken >= 100);
  CHECK(refused >= 100);
}

TEST_CASE("folders that are swapped under the reader's hands: the one judged is the one read from") {
  const KeyFile key;
  const TempFolder others;
  set_mode(others.write("it.key", "planted"), 0600);
  set_mode(others.path(), 0777);
  const TempFolder links;
  const fs::path swapped = links.path() / "folder";
  fs::create_directory_symlink(key.folder.path(), swapped);
  std::atomic<bool> done = false;
  std::thread swapper([&] {
    while (!done) {
      for (const fs::path& to : {others.path(), key.folder.path()}) {
        fs::create_directory_symlink(to, links.path() / "next");
        fs::rename(links.path() / "next", swapped);
      }
    }
  });
  int taken = 0, refused = 0;
  for (int i = 0; i < 200'000 && (i < 10'000 || taken < 100 || refused < 100); ++i) {
    try {
      if (read_private(swapped / "it.key") != "the key") FAIL_CHECK("read what others put there");
      ++taken;
    } catch (const Error&) {
      ++refused;
    }
  }
  done = true;
  swapper.join();
  CHECK(taken >= 100);
  CHECK(refused >= 100);
}
