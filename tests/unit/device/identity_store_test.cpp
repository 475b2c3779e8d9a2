#include "device/identity_store.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "certificates.hpp"

using namespace glimpse;

namespace fs = std::filesystem;

namespace {

mode_t mode_of(const fs::path& path) {
  struct stat found {};
  REQUIRE(lstat(path.c_str(), &found) == 0);
  return found.st_mode & 07777;
}

/// Each file under a folder, by its path in it.
std::map<std::string, std::string> files(const fs::path& folder) {
  std::map<std::string, std::string> found;
  for (const auto& it : fs::recursive_directory_iterator(folder)) {
    if (it.is_regular_file()) found[fs::relative(it.path(), folder).string()] = read_text(it.path().string());
  }
  return found;
}

std::optional<std::string> find(const IdentityStore& store, const std::string& name) {
  const auto found = store.find("file", name);
  return found ? std::optional(std::string(found->data(), found->size())) : std::nullopt;
}

std::string configuration_error(const std::function<void()>& act) {
  try {
    act();
    return "";
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::configuration);
    return error.what();
  }
}

struct Killed {};

}  // namespace

TEST_CASE("An identity is its owner's alone, pending first, then complete") {
  const TempFolder state;
  const mode_t before = umask(0);  // what is made here does not lean on it
  IdentityStore store(state.path().string());
  CHECK_FALSE(store.is_complete());
  store.put("device.key", "secret");
  store.put("device.crt", "old");
  store.put("device.crt", "new");
  umask(before);
  CHECK_FALSE(store.is_complete());
  CHECK(mode_of(store.pending()) == 0700);
  CHECK(mode_of(store.pending() + "/device.key") == 0600);
  CHECK(find(store, "device.crt") == "new");
  store.complete();
  CHECK(store.is_complete());
  CHECK(files(state.path()) == std::map<std::string, std::string>{{"identity/device.crt", "new"},
                                                                  {"identity/device.key", "secret"}});
}

TEST_CASE("What is not there is not found, and what is given up is gone") {
  const TempFolder state;
  IdentityStore store(state.path().string());
  CHECK_FALSE(find(store, "device.key"));
  store.start_over();  // with nothing to give up
  store.put("device.key", "secret");
  CHECK_FALSE(find(store, "device.crt"));
  store.start_over();
  CHECK_FALSE(find(store, "device.key"));
  CHECK(files(state.path()).empty());
}

TEST_CASE("A kill after any step leaves each file whole, and the next attempt ends as it should") {
  const auto all = [](IdentityStore& store) {
    if (!find(store, "device.key")) store.put("device.key", "secret");
    store.put("device.crt", "old");
    store.put("device.crt", "new");
    store.complete();
  };
  int killed_after = 0;
  for (bool was_killed = true; was_killed; ++killed_after) {
    const TempFolder state;
    was_killed = false;
    try {
      IdentityStore store(state.path().string(), [left = killed_after]() mutable {
        if (left-- == 0) throw Killed();
      });
      all(store);
    } catch (const Killed&) {
      was_killed = true;
    }
    for (const auto& [path, text] : files(state.path())) {
      if (path.ends_with(".new")) continue;
      CHECK((path.ends_with("device.key") ? text == "secret" : text == "old" || text == "new"));
    }
    IdentityStore again(state.path().string());
    if (!again.is_complete()) all(again);
    CHECK(files(state.path()) == std::map<std::string, std::string>{{"identity/device.crt", "new"},
                                                                    {"identity/device.key", "secret"}});
  }
  CHECK(killed_after == 12);  // a folder, three files in three steps, the end; and once to the end
}

TEST_CASE("A complete identity is never overwritten") {
  const TempFolder state;
  state.write("identity/device.key", "in use");
  IdentityStore store(state.path().string());
  store.put("device.key", "another");
  CHECK_THAT(configuration_error([&] { store.complete(); }), ContainsSubstring("identity.pending"));
  CHECK(read_text((state.path() / "identity/device.key").string()) == "in use");
}

TEST_CASE("Two at once: the second one is told, and may when the first is done") {
  const TempFolder state;
  std::optional<IdentityStore> first(std::in_place, state.path().string());
  CHECK_THAT(configuration_error([&] { const IdentityStore second(state.path().string()); }),
             ContainsSubstring("another glimpse provision is at work in '" + state.path().string() + "'"));
  first.reset();
  CHECK(configuration_error([&] { const IdentityStore second(state.path().string()); }).empty());
}

TEST_CASE("A pending key that others can read is refused, with what mends it") {
  const TempFolder state;
  IdentityStore store(state.path().string());
  store.put("device.key", "secret");
  set_mode(store.pending() + "/device.key", 0644);
  CHECK_THAT(refusal_of([&] { (void)store.find("key", "device.key"); }),
             ContainsSubstring("chmod 600 " + store.pending() + "/device.key"));
}

TEST_CASE("A disk that takes nothing is told as what it is") {
  const TempFolder state;
  CHECK_THAT(configuration_error([&] { const IdentityStore store((state.path() / "none").string()); }),
             ContainsSubstring("No such file or directory"));
  IdentityStore store(state.path().string());
  state.write("identity.pending", "a file where the folder should be");
  CHECK_THAT(configuration_error([&] { store.put("device.key", "secret"); }),
             ContainsSubstring("Not a directory"));
}
