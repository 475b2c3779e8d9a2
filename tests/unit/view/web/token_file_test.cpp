#include <sys/stat.h>

#include <thread>
#include <vector>

#include "catch.hpp"
#include "core/error.hpp"
#include "temp_folder.hpp"
#include "view/web/access.hpp"

using namespace glimpse;

TEST_CASE("A token is made once, for its owner alone") {
  const TempFolder folder;
  const std::string file = folder.path() / "web-token";
  const std::string token = load_token(file);
  CHECK(token.size() == 64);
  CHECK(token.find_first_not_of("0123456789abcdef") == std::string::npos);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(load_token(file) == token);
  CHECK(load_token(folder.path() / "another") != token);
}

TEST_CASE("Programs that begin at once agree on one token") {
  const TempFolder folder;
  const std::string file = folder.path() / "web-token";
  std::vector<std::string> tokens(8);
  {
    std::vector<std::jthread> threads;
    for (std::string& token : tokens) threads.emplace_back([&] { token = load_token(file); });
  }
  for (const std::string& token : tokens) CHECK(token == tokens[0]);
}

TEST_CASE("A token that is none, or not safe, is refused with its file's name") {
  const TempFolder folder;
  const auto refused = [&](const std::string& text, mode_t mode) {
    const std::string file = folder.write("web-token", text);
    ::chmod(file.c_str(), mode);
    try {
      (void)load_token(file);
      FAIL("taken");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::credentials);
      CHECK_THAT(error.what(), ContainsSubstring(file));
    }
  };
  refused(std::string(64, 'a'), 0644);
  refused(std::string(63, 'a'), 0600);
  refused(std::string(66, 'a'), 0600);
  refused(std::string(64, 'A'), 0600);
  refused("", 0600);
}
