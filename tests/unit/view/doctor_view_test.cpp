#include "view/doctor_view.hpp"

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("A check is one line, whatever its words hold") {
  CHECK(check_text(Check::ok("dns", "fine"), false) == "ok    dns                 fine");
  CHECK(check_text(Check::warn("blas", "slow", "sudo it"), false) ==
        "warn  blas                slow; sudo it");
  CHECK(check_text(Check::ok("a name that is too long", "x"), false) == "ok    a name that is too long  x");
  CHECK(check_text(Check::ok("camera /dev/video0", "Evil\x1b[2J\nCam"), false) ==
        "ok    camera /dev/video0  Evil\\x1b[2J\\x0aCam");
  CHECK(check_text(Check::fail("tls", "no", "", ExitCode::credentials), true) ==
        "\x1b[31mfail\x1b[0m  tls                 no");
}

TEST_CASE("A check as JSON has the same four members, and null where nothing is to be mended") {
  CHECK(check_json(Check::ok("dns", "\"a\"\n\xff")) == R"({"name":"dns","state":"ok","text":"\"a\"\n)"
                                                       "\xef\xbf\xbd"
                                                       R"(","remedy":null})");
  CHECK(check_json(Check::fail("tls", "no", "mend", ExitCode::credentials)) ==
        R"({"name":"tls","state":"fail","text":"no","remedy":"mend"})");
}
