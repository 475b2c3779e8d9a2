#include "inference/backend_choice.hpp"

#include <sys/stat.h>

#include <fstream>

#include "catch.hpp"
#include "core/error.hpp"
#include "temp_folder.hpp"

using namespace glimpse;

namespace {

ClassifierOptions demo(const std::string& backend) {
  return {GLIMPSE_ROOT "/models/demo", true, backend, 1, false};
}

BackendChoice choice(const std::string& backend, double ms) {
  return {backend, true, {{backend, ms}}, "2026-01-02"};
}

/// $XDG_CACHE_HOME as a test wants it, and as it was afterwards.
class CacheHome {
 public:
  explicit CacheHome(const std::filesystem::path& folder) : before_(std::getenv("XDG_CACHE_HOME")) {
    if (before_ != nullptr) kept_ = before_;
    ::setenv("XDG_CACHE_HOME", folder.c_str(), 1);
  }
  ~CacheHome() {
    before_ != nullptr ? ::setenv("XDG_CACHE_HOME", kept_.c_str(), 1) : ::unsetenv("XDG_CACHE_HOME");
  }
  CacheHome(const CacheHome&) = delete;
  CacheHome& operator=(const CacheHome&) = delete;

 private:
  const char* before_;
  std::string kept_;
};

}  // namespace

TEST_CASE("A choice is remembered for just what it was made for") {
  const TempFolder folder;
  const ChoiceCache cache(folder.path() / "new" / "backends.json");
  const ChoiceKey key{"c0ffee", "auto", "a processor", "libraries", 2};
  CHECK_FALSE(cache.recall(key));
  cache.remember(key, choice("xnnpack", 1.5));
  const auto known = cache.recall(key);
  REQUIRE(known);
  CHECK(known->backend == "xnnpack");
  CHECK(known->times_ms.at("xnnpack") == 1.5);
  CHECK(known->measured_on == "2026-01-02");
  for (auto member :
       {&ChoiceKey::model_sha256, &ChoiceKey::asked, &ChoiceKey::processor, &ChoiceKey::libraries}) {
    ChoiceKey other = key;
    other.*member += "x";
    CHECK_FALSE(cache.recall(other));
  }
  ChoiceKey other = key;
  other.threads = 3;
  CHECK_FALSE(cache.recall(other));
}

TEST_CASE("The newest 64 choices are kept, one for each key") {
  const TempFolder folder;
  const ChoiceCache cache(folder.path() / "backends.json");
  for (int threads = 1; threads <= 70; ++threads) {
    cache.remember({"m", "auto", "p", "l", threads}, choice("torch", threads));
    cache.remember({"m", "auto", "p", "l", threads}, choice("onednn", threads));
  }
  CHECK_FALSE(cache.recall({"m", "auto", "p", "l", 6}));
  REQUIRE(cache.recall({"m", "auto", "p", "l", 7}));
  CHECK(cache.recall({"m", "auto", "p", "l", 7})->backend == "onednn");
  CHECK(cache.recall({"m", "auto", "p", "l", 70}));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("A damaged file of choices is as good as none, and mended") {
  const TempFolder folder;
  const ChoiceKey key{"m", "auto", "p", "l", 1};
  for (const char* const bytes : {"", "{", "[1, {}, {\"for\": 3}]", "{\"for\": {}}", "\xff\xfe", "null"}) {
    const ChoiceCache cache(folder.write("backends.json", bytes));
    CHECK_FALSE(cache.recall(key));
    cache.remember(key, choice("torch", 1));
    CHECK(cache.recall(key));
  }
  const ChoiceCache huge(folder.write("backends.json", std::string(1 << 20, ' ') + "[]"));
  CHECK_FALSE(huge.recall(key));
}

TEST_CASE("Where nothing can be written, nothing is remembered and nothing breaks") {
  const TempFolder folder;
  const ChoiceCache cache(folder.write("file", "") / "backends.json");
  cache.remember({"m", "auto", "p", "l", 1}, choice("torch", 1));
  CHECK_FALSE(cache.recall({"m", "auto", "p", "l", 1}));
}

TEST_CASE("A service's cache folder is systemd's, the first of the list, before the user's") {
  const TempFolder folder, users;
  const CacheHome home(users.path());
  const ChoiceKey key{"m", "auto", "p", "l", 1};
  ::setenv("CACHE_DIRECTORY", (folder.path().string() + ":/elsewhere").c_str(), 1);
  ChoiceCache().remember(key, choice("torch", 1));
  ::unsetenv("CACHE_DIRECTORY");
  CHECK(ChoiceCache(folder.path() / "backends.json").recall(key));
  CHECK_FALSE(ChoiceCache().recall(key));
}

TEST_CASE("auto is the fastest of those that were timed, and is not timed again") {
  const TempFolder folder;
  const CacheHome home(folder.path());
  const BackendChoice first = choose_backend(demo("auto"), "c0ffee", 1);
  REQUIRE(first.times_ms.count(first.backend) == 1);
  for (const auto& [name, ms] : first.times_ms) CHECK(first.times_ms.at(first.backend) <= ms);
  CHECK_FALSE(first.measured_on.empty());
  CHECK_THAT(describe(first), ContainsSubstring(first.backend + " "));

  // A second measurement would not come to the same times: what is read back is what was remembered.
  const auto file = folder.path() / "glimpse" / "backends.json";
  REQUIRE(std::filesystem::exists(file));
  CHECK(choose_backend(demo("auto"), "c0ffee", 1).times_ms == first.times_ms);
}

TEST_CASE("Where none can be timed it is the likely fastest, and that is not remembered") {
  const TempFolder folder;
  const CacheHome home(folder.path());
  ClassifierOptions not_there = demo("auto");
  not_there.model = folder.path().string();
  const BackendChoice untimed = choose_backend(not_there, "c0ffee", 1);
  CHECK(untimed.backend == runnable_backends(true).back());
  CHECK(untimed.times_ms.empty());
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("A backend asked for by name is taken without timing; one that is not there is refused") {
  const TempFolder folder;
  const CacheHome home(folder.path());
  ClassifierOptions torch = demo("torch");
  const BackendChoice choice = choose_backend(torch, "c0ffee", 1);
  CHECK(choice.backend == "torch");
  CHECK(choice.times_ms.empty());
  CHECK(describe(choice).empty());
  CHECK(std::filesystem::is_empty(folder.path()));
  torch.backend = "tensorrt";
  CHECK_THROWS_AS(choose_backend(torch, "c0ffee", 1), Error);
}

TEST_CASE("Beside another network nothing is timed: what is remembered is taken, else the likely fastest") {
  const TempFolder folder;
  const CacheHome home(folder.path());
  const ClassifierInfo running;
  ClassifierOptions beside = demo("auto");
  beside.beside = &running;
  const BackendChoice untimed = choose_backend(beside, "c0ffee", 1);
  CHECK(untimed.backend == runnable_backends(true).back());
  CHECK(untimed.times_ms.empty());
  CHECK(std::filesystem::is_empty(folder.path()));  // the next start times it

  const BackendChoice timed = choose_backend(demo("auto"), "c0ffee", 1);
  const BackendChoice remembered = choose_backend(beside, "c0ffee", 1);
  CHECK(remembered.backend == timed.backend);
  CHECK(remembered.times_ms == timed.times_ms);
}
