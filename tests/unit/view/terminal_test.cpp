#include "view/terminal.hpp"

#include <cstdlib>
#include <map>
#include <string>

#include "catch.hpp"

using namespace glimpse;

namespace {

TerminalStyle style_with(const std::map<std::string, std::string>& environment) {
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG", "TERM", "NO_COLOR"}) ::unsetenv(name);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  return terminal_style();
}

}  // namespace

TEST_CASE("A locale is UTF-8 by its name, LC_ALL before LC_CTYPE before LANG") {
  CHECK(style_with({{"LANG", "de_DE.UTF-8"}}).utf8);
  CHECK(style_with({{"LANG", "C.utf8"}}).utf8);
  CHECK(style_with({{"LANG", "ca_ES.UTF-8@valencia"}}).utf8);
  CHECK_FALSE(style_with({}).utf8);
  CHECK_FALSE(style_with({{"LANG", "C"}}).utf8);
  CHECK_FALSE(style_with({{"LANG", "de_DE.ISO-8859-1"}}).utf8);
  CHECK_FALSE(style_with({{"LC_ALL", "C"}, {"LANG", "de_DE.UTF-8"}}).utf8);
  CHECK(style_with({{"LC_CTYPE", "C.UTF-8"}, {"LANG", "C"}}).utf8);
  CHECK(style_with({{"LC_ALL", ""}, {"LANG", "C.UTF-8"}}).utf8);  // empty is as if it was not set
}

TEST_CASE("Eighth blocks are for UTF-8, and not for Linux's own console") {
  CHECK(style_with({{"LANG", "C.UTF-8"}, {"TERM", "xterm"}}).blocks);
  CHECK_FALSE(style_with({{"LANG", "C.UTF-8"}, {"TERM", "linux"}}).blocks);
  CHECK_FALSE(style_with({{"LANG", "C"}, {"TERM", "xterm"}}).blocks);
}

// no-color.org: "when present and not an empty string (regardless of its value)"
TEST_CASE("NO_COLOR is heeded") {
  CHECK(style_with({}).colour);
  CHECK(style_with({{"NO_COLOR", ""}}).colour);
  CHECK_FALSE(style_with({{"NO_COLOR", "0"}}).colour);
}
