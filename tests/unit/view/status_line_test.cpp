#include "view/status_line.hpp"

#include "catch.hpp"
#include "example_record.hpp"

using namespace glimpse;

TEST_CASE("The state of a run in a few words") {
  Record record = example_record();
  CHECK(to_status(record) == "98.1 fps, umbrella 93 %");
  record.delivery.emplace();
  record.delivery->pending = 12;
  record.delivery->link = LinkState::waiting;
  CHECK(to_status(record) == "98.1 fps, umbrella 93 %, broker waiting, 12 waiting");
}

TEST_CASE("Without frames there is nothing that is seen") {
  Record record = example_record();
  for (const std::optional<double> rate : {std::optional<double>(), std::optional<double>(0)}) {
    record.inference_fps = rate;
    CHECK(to_status(record) == "no frames");
  }
}

TEST_CASE("A label cannot begin a line of its own") {
  Record record = example_record();
  record.predictions[0].label = "evil\nWATCHDOG=1";
  CHECK(to_status(record).find('\n') == std::string::npos);
}
