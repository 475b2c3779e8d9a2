#include "device/identity.hpp"

#include <algorithm>
#include <set>
#include <string_view>

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
  // x: any digit, v: one of 8 9 a b
  constexpr std::string_view shape = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
  const auto fits = [](char c, char kind) {
    if (kind == 'x') return std::string_view("0123456789abcdef").find(c) != std::string_view::npos;
    return kind == 'v' ? std::string_view("89ab").find(c) != std::string_view::npos : c == kind;
  };
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string id = new_boot_id();
    CHECK(std::equal(id.begin(), id.end(), shape.begin(), shape.end(), fits));
    seen.insert(id);
  }
  CHECK(seen.size() == 100);
}
