#include "view/web/metrics.hpp"

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("A histogram counts each value once, in the first bucket that holds it") {
  Histogram histogram;
  for (const double seconds : {0.0001, 0.00011, 0.004, 3.0}) histogram.add(seconds);
  CHECK(histogram.up_to(0) == 1);  // 0.1 ms: the bound is in its bucket
  CHECK(histogram.up_to(1) == 2);
  CHECK(histogram.up_to(4) == 2);  // 2.5 ms
  CHECK(histogram.up_to(5) == 3);  // 5 ms
  CHECK(histogram.up_to(Histogram::bounds_s.size() - 1) == 3);
  CHECK(histogram.count() == 4);
  CHECK(histogram.sum_s() == Approx(3.00421));
}

TEST_CASE("What the machine does not know is absent, and units are Prometheus's") {
  Record record;
  record.model = {"de\"mo\\\n", true, "torch", ""};
  record.system.cpu_percent = 12.5;
  record.system.rss_mb = 2;
  const std::string text = metrics_text(record, {}, {}, "0.1.0");
  CHECK_THAT(text, ContainsSubstring("glimpse_cpu_usage_ratio 0.125\n") &&
                       ContainsSubstring("glimpse_resident_memory_bytes 2097152\n") &&
                       ContainsSubstring(R"(model="de\"mo\\\n",form="int8")"));
  CHECK_THAT(
      text, !ContainsSubstring("celsius") && !ContainsSubstring("broker") && !ContainsSubstring("throttled"));
}

TEST_CASE("With a broker and a hot machine there is more") {
  Record record;
  record.system.heat.temperature_c = 61.25;
  record.system.heat.throttled = {"under-voltage", "throttled"};
  record.delivery = DeliveryStatus{7, 40, 33, 2, 1, LinkState::connected, 0, "", 0};
  const std::string text = metrics_text(record, {}, {1, 2, 30}, "0.1.0");
  CHECK_THAT(text, ContainsSubstring("glimpse_temperature_celsius 61.25\n") &&
                       ContainsSubstring("glimpse_throttled{reason=\"under-voltage\"} 1\n") &&
                       ContainsSubstring("glimpse_broker_connected 1\n") &&
                       ContainsSubstring("glimpse_outbox_pending_records 7\n") &&
                       ContainsSubstring("glimpse_records_acknowledged_total 33\n") &&
                       ContainsSubstring("glimpse_records_sent_total 40\n") &&
                       ContainsSubstring("glimpse_records_resent_total 2\n") &&
                       ContainsSubstring("glimpse_records_dropped_total 1\n") &&
                       ContainsSubstring("glimpse_web_viewers{stream=\"pictures\"} 1\n") &&
                       ContainsSubstring("glimpse_web_viewers{stream=\"events\"} 2\n") &&
                       ContainsSubstring("glimpse_web_pictures_encoded_total 30\n"));
}

TEST_CASE("A histogram is written as Prometheus reads one") {
  FrameTimes times;
  // Below all bounds, at one, just above one, in the middle, above all.
  for (const double seconds : {0.00005, 0.001, 0.0010001, 0.02, 7.0}) times.inference.add(seconds);
  const std::string text = metrics_text({}, times, {}, "0.1.0");
  const std::size_t from = text.find("# HELP glimpse_inference_seconds"), to = text.find("# HELP", from + 1);
  CHECK(text.substr(from, to - from) ==
        R"(# HELP glimpse_inference_seconds Time in the network, for each frame named.
# TYPE glimpse_inference_seconds histogram
glimpse_inference_seconds_bucket{le="0.0001"} 1
glimpse_inference_seconds_bucket{le="0.00025"} 1
glimpse_inference_seconds_bucket{le="0.0005"} 1
glimpse_inference_seconds_bucket{le="0.001"} 2
glimpse_inference_seconds_bucket{le="0.0025"} 3
glimpse_inference_seconds_bucket{le="0.005"} 3
glimpse_inference_seconds_bucket{le="0.01"} 3
glimpse_inference_seconds_bucket{le="0.025"} 4
glimpse_inference_seconds_bucket{le="0.05"} 4
glimpse_inference_seconds_bucket{le="0.1"} 4
glimpse_inference_seconds_bucket{le="0.25"} 4
glimpse_inference_seconds_bucket{le="0.5"} 4
glimpse_inference_seconds_bucket{le="1"} 4
glimpse_inference_seconds_bucket{le="2.5"} 4
glimpse_inference_seconds_bucket{le="+Inf"} 5
glimpse_inference_seconds_sum 7.0220501
glimpse_inference_seconds_count 5
)");
}
