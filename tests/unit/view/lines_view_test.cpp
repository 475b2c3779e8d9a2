#include "view/lines_view.hpp"

#include "catch.hpp"
#include "example_record.hpp"

using namespace glimpse;

TEST_CASE("A record is one plain line") {
  const std::string line = to_plain_line(example_record());
  CHECK_THAT(line, ContainsSubstring("frame 371 | umbrella 93.1 %, ") &&
                       ContainsSubstring("98.1 fps (capture 98.3)") &&
                       ContainsSubstring("p50 8.1 p90 8.5 p99 9.0 ms") &&
                       ContainsSubstring("dropped 3, cpu 51 %"));
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find('\x1b') == std::string::npos);
}

TEST_CASE("What is not known is a dash, and a label cannot steer the terminal") {
  Record record;
  record.predictions = {{0, "evil\x1b[2J\nlabel", 1}};
  const std::string line = to_plain_line(record);
  CHECK_THAT(line,
             ContainsSubstring("frame - |") && ContainsSubstring("- fps") && ContainsSubstring("cpu - %"));
  CHECK_THAT(line, ContainsSubstring("evil\\x1b[2J\\x0alabel"));
}

TEST_CASE("A plain line tells of the broker where there is one") {
  Record record = example_record();
  CHECK_THAT(to_plain_line(record), !ContainsSubstring("broker"));
  record.delivery = DeliveryStatus{7, 40, 33, 2, 0, LinkState::waiting, 0, "", 0};
  CHECK_THAT(to_plain_line(record), ContainsSubstring(" | broker waiting, 7 pending"));
  record.delivery->dropped = 5;
  CHECK_THAT(to_plain_line(record), ContainsSubstring("7 pending, 5 dropped"));
}
