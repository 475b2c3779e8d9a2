#include "device/identity.hpp"

#include <regex>
#include <set>

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("a device name is one topic level and an AWS thing name") {
  CHECK(is_device_name("camera_7:a-B"));
  CHECK(is_device_name(std::string(128, 'x')));
  for (const auto& bad : {"", "a#", "a+b", "a/b", "a b", "a.b", "caf\xc3\xa9", "a\n"})
    CHECK_FALSE(is_device_name(bad));
  CHECK_FALSE(is_device_name(std::string(129, 'x')));
  CHECK(is_device_name(default_device_name()));
}

TEST_CASE("a boot id is a random UUID of version 4") {
  const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string id = new_boot_id();
    CHECK(std::regex_match(id, uuid));
    seen.insert(id);
  }
  CHECK(seen.size() == 100);
}
