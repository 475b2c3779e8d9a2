#include "view/web/metrics.hpp"

#include <cmath>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

namespace glimpse {
namespace {

constexpr double bytes_per_mib = 1024 * 1024;

std::string number(double value) {
  if (!std::isfinite(value)) return "NaN";
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", value);
  return text;
}

/// A label's value as the format wants it: backslash, quote and newline are escaped.
std::string quoted(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return text + "\"";
}

class Text {
 public:
  void head(const std::string& name, const char* type, const char* help) {
    text_ += "# HELP glimpse_" + name + " " + help + "\n# TYPE glimpse_" + name + " " + type + "\n";
  }
  void sample(const std::string& name, double value, const std::string& labels = "") {
    text_ += "glimpse_" + name + (labels.empty() ? "" : "{" + labels + "}") + " " + number(value) + "\n";
  }
  void counter(const std::string& name, double value, const char* help) {
    head(name, "counter", help);
    sample(name, value);
  }
  /// Nothing where the machine does not know it.
  void gauge(const std::string& name, std::optional<double> value, const char* help) {
    if (!value) return;
    head(name, "gauge", help);
    sample(name, *value);
  }
  void histogram(const std::string& name, const Histogram& values, const char* help) {
    head(name, "histogram", help);
    for (std::size_t i = 0; i < Histogram::bounds_s.size(); ++i)
      sample(name + "_bucket", static_cast<double>(values.up_to(i)),
             "le=\"" + number(Histogram::bounds_s[i]) + "\"");
    sample(name + "_bucket", static_cast<double>(values.count()), "le=\"+Inf\"");
    sample(name + "_sum", values.sum_s());
    sample(name + "_count", static_cast<double>(values.count()));
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::optional<double> scaled(std::optional<double> value, double factor) {
  return value ? std::optional(*value * factor) : std::nullopt;
}

void add_machine(Text& text, const SystemStatus& system) {
  text.gauge("cpu_usage_ratio", scaled(system.cpu_percent, 0.01), "Share of all cores that is busy, 0 to 1.");
  text.gauge("memory_used_bytes", scaled(system.memory_mb, bytes_per_mib),
             "Memory of the machine that is in use.");
  text.gauge("resident_memory_bytes", scaled(system.rss_mb, bytes_per_mib), "Memory that this program has.");
  text.gauge("temperature_celsius", system.heat.temperature_c, "Temperature of the CPU.");
  text.gauge("cpu_frequency_hertz", scaled(system.heat.cpu_mhz, 1e6), "Clock of the CPU.");
  if (!system.heat.throttled) return;
  text.head("throttled", "gauge", "1 for each reason for which the firmware slows the machine now.");
  for (const std::string& reason : *system.heat.throttled)
    text.sample("throttled", 1, "reason=" + quoted(reason));
}

void add_delivery(Text& text, const DeliveryStatus& delivery) {
  text.gauge("broker_connected", delivery.link == LinkState::connected ? 1 : 0,
             "1 while the broker is connected.");
  text.gauge("outbox_pending_records", static_cast<double>(delivery.pending),
             "Records that wait for the broker.");
  text.counter("records_sent_total", static_cast<double>(delivery.sent), "Records sent, each counted once.");
  text.counter("records_acknowledged_total", static_cast<double>(delivery.acknowledged),
               "Records that the broker has.");
  text.counter("records_resent_total", static_cast<double>(delivery.resent), "Records sent once more.");
  text.counter("records_dropped_total", static_cast<double>(delivery.dropped),
               "Records gone unsent because the outbox was full, since it was begun.");
}

}  // namespace

std::string metrics_text(const Record& r, const FrameTimes& times, const WebCounts& web,
                         const std::string& version) {
  Text text;
  text.head("info", "gauge", "What runs; always 1.");
  text.sample("info", 1,
              "version=" + quoted(version) + ",device=" + quoted(r.device) +
                  ",model=" + quoted(r.model.name) + ",form=" + quoted(r.model.quantized ? "int8" : "float") +
                  ",backend=" + quoted(r.model.backend));
  text.counter("frames_seen_total", static_cast<double>(r.frames_seen), "Frames that the source gave.");
  text.counter("frames_dropped_total", static_cast<double>(r.frames_dropped),
               "Of those, overwritten by a newer one.");
  text.counter("frames_left_out_total", static_cast<double>(r.frames_left_out),
               "Of those, left out by --adapt.");
  text.counter("pictures_skipped_total", static_cast<double>(r.frames_skipped),
               "Pictures that could not be decoded.");
  text.counter("records_total", static_cast<double>(r.seq), "Telemetry records made.");
  text.histogram("inference_seconds", times.inference, "Time in the network, for each frame named.");
  text.histogram("preprocess_seconds", times.preprocess, "Time to prepare a frame for the network.");
  text.histogram("frame_age_seconds", times.age, "From a frame's capture until it is named.");
  text.gauge("target_frame_rate_hertz", r.target_fps, "Frames a second that --adapt takes; absent: all.");
  add_machine(text, r.system);
  if (r.delivery) add_delivery(text, *r.delivery);
  text.head("web_viewers", "gauge", "Who looks at the page's streams now.");
  text.sample("web_viewers", web.picture_viewers, "stream=\"pictures\"");
  text.sample("web_viewers", web.event_viewers, "stream=\"events\"");
  text.counter("web_pictures_encoded_total", static_cast<double>(web.pictures_encoded),
               "Pictures encoded for /stream.mjpg.");
  return text.take();
}

}  // namespace glimpse
