#include "view/bench_view.hpp"

#include "catch.hpp"

using namespace glimpse;

namespace {
const BenchResult result{"demo",   true,    "onednn", 1,  {3.5, 3.75, 4.25, 3.25}, {0.75, 1, 1.25, 0.5},
                         231.0004, 2.60812, 340.25,   127};

BenchMachine pi() {
  BenchMachine on{{"Raspberry Pi 5 Model B Rev 1.0", std::nullopt, "Linux 6.12.34 aarch64"},
                  "0x41 0xd0b, 4 cores",
                  "2.6.0",
                  "0.1.0",
                  {}};
  on.status.heat.temperature_c = 61.2;
  on.status.heat.throttled = {"under-voltage"};
  return on;
}
}  // namespace

TEST_CASE("A combination as JSON has the keys of the contract, on one line") {
  CHECK(bench_json(result, pi()) ==
        R"({"model":"demo","precision":"int8","backend":"onednn","threads":1,)"
        R"("network_ms":{"p50":3.5,"p90":3.75,"p99":4.25,"min":3.25},)"
        R"("preprocess_ms":{"p50":0.75,"p90":1.0,"p99":1.25,"min":0.5},)"
        R"("fps":231.0,"model_mib":2.608,"load_ms":340.25,"peak_rss_mb":127.0,)"
        R"("machine":{"board":"Raspberry Pi 5 Model B Rev 1.0",)"
        R"("processor":"0x41 0xd0b, 4 cores","system":null,)"
        R"("kernel":"Linux 6.12.34 aarch64","libtorch":"2.6.0","glimpse":"0.1.0",)"
        R"("temperature_c":61.2,"throttled":["under-voltage"]}})");
}

TEST_CASE("The table has a row for each combination, under its heading") {
  const std::string text = bench_text({result, result});
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
  CHECK_THAT(text, ContainsSubstring(
                       "int8   onednn       3.50    3.75    4.25    3.25    0.75    1.00    1.25    0.50"
                       "   231.0     2.6     340       127\n"));
}
