#include "capture/gstreamer_pipeline.hpp"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <optional>
#include <utility>

#include "capture/frame_pool.hpp"
#include "capture/gstreamer_picture.hpp"
#include "capture/live_capture.hpp"
#include "capture/pixels.hpp"
#include "core/error.hpp"

namespace glimpse {
namespace {

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* held) const {
    release(held);
  }
};
template <typename T, auto release>
using Held = std::unique_ptr<T, Release<release>>;
using Sample = Held<GstSample, gst_sample_unref>;
using Message = Held<GstMessage, gst_message_unref>;
using Caps = Held<GstCaps, gst_caps_unref>;
using Text = Held<gchar, g_free>;
using GlibError = Held<GError, g_error_free>;

/// Whatever state it is in: its threads end here, and only then it is freed.
void stop(GstElement* pipeline) {
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}
using Element = Held<GstElement, stop>;

constexpr GstClockTime poll = 100 * GST_MSECOND;  // an error that is no end is seen so late

std::string one_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.pop_back();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

/// The kind of an element, as its name has a number that rises with each start: the reason would be news each
/// time.
std::string kind_of(GstObject* object) {
  GstElementFactory* factory =
      GST_IS_ELEMENT(object) ? gst_element_get_factory(GST_ELEMENT(object)) : nullptr;
  return factory != nullptr ? GST_OBJECT_NAME(factory) : "GStreamer";
}

/// "v4l2src: Cannot identify device '/dev/video9' (system error: No such file or directory)"
std::string reason_of(GstMessage* message) {
  GError* parsed = nullptr;
  gchar* parsed_details = nullptr;
  gst_message_parse_error(message, &parsed, &parsed_details);
  const GlibError error(parsed);
  const Text debug(parsed_details);
  const std::string details = debug ? debug.get() : "";
  std::string reason = kind_of(GST_MESSAGE_SRC(message)) + ": " + one_line(error->message);
  const std::size_t place = details.find('\n');  // the first line is one of GStreamer's sources
  if (place != std::string::npos) reason += " (" + one_line(details.substr(place + 1)) + ")";
  return reason;
}

/// Null where `wrong` says why.
Element parse(const std::string& text, std::string& wrong) {
  GError* error = nullptr;
  Element parsed;
  if (gst_init_check(nullptr, nullptr, &error) != FALSE) {
    // Fatal: a missing element, else only a warning, would be left out.
    parsed.reset(gst_parse_launch_full(text.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
  }
  const GlibError reason(error);
  if (reason) {
    parsed.reset();
    wrong = one_line(reason->message);
  } else if (!parsed) {
    wrong = "GStreamer cannot be started";
  }
  return parsed;
}

Element parse_or_throw(const std::string& text) {
  std::string wrong;
  Element parsed = parse(text, wrong);
  if (!parsed) throw Error(ExitCode::no_source, wrong);
  if (GST_IS_PIPELINE(parsed.get())) return parsed;
  Element whole(gst_pipeline_new(nullptr));  // around a single element or bin, which has no bus of its own
  gst_bin_add(GST_BIN(whole.get()), parsed.release());
  return whole;
}

Held<GstAppSink, gst_object_unref> find_sink(GstElement* pipeline) {
  GstIterator* all = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "appsink");
  GValue found = G_VALUE_INIT;
  Held<GstAppSink, gst_object_unref> sink;
  if (gst_iterator_next(all, &found) == GST_ITERATOR_OK) sink.reset(GST_APP_SINK(g_value_dup_object(&found)));
  g_value_unset(&found);
  gst_iterator_free(all);
  if (!sink) throw Error(ExitCode::no_source, "it has no appsink");
  return sink;
}

class GstreamerPipeline : public VideoSource {
 public:
  GstreamerPipeline(const std::string& text, const std::string& name, std::chrono::milliseconds limit)
      : pipeline_(parse_or_throw(text)),
        sink_(find_sink(pipeline_.get())),
        bus_(gst_element_get_bus(pipeline_.get())) {
    gst_app_sink_set_caps(sink_.get(), Caps(gst_caps_from_string(GstreamerPicture::formats)).get());
    if (gst_app_sink_get_max_buffers(sink_.get()) == 0)
      gst_app_sink_set_max_buffers(sink_.get(), 1);  // 0: no bound
    // A failure is on the bus, too.
    const bool started =
        gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
    first_ = wait_for_first(started, limit);
    info_ = live_info(name, first_->image.size(), fps_);
  }

  ReadResult read(Frame& frame) override {
    try {
      if (!first_) return take(frame);
      frame = *std::exchange(first_, std::nullopt);
      return {};
    } catch (const std::exception&) {
      return {ReadStatus::failed, "gives what cannot be decoded"};
    }
  }
  const SourceInfo& info() const override { return info_; }

 private:
  Frame wait_for_first(bool started, std::chrono::milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    Frame frame;
    do {
      const ReadResult result = started ? take(frame) : ReadResult{ReadStatus::failed, reason()};
      if (result.status == ReadStatus::frame) return frame;
      if (result.status == ReadStatus::end) throw Error(ExitCode::no_source, "it ended without a frame");
      if (result.status == ReadStatus::failed) throw Error(ExitCode::no_source, result.reason);
    } while (std::chrono::steady_clock::now() < until);
    throw Error(ExitCode::no_source, cv::format("it gave nothing for %.3g s", double(limit.count()) / 1000));
  }

  ReadResult take(Frame& frame) {
    const Sample sample(gst_app_sink_try_pull_sample(sink_.get(), poll));
    frame.captured_at = std::chrono::steady_clock::now();  // before the decoding
    const bool at_end = !sample && gst_app_sink_is_eos(sink_.get()) != FALSE;
    read_bus();  // after that: an error is there before the end that it brings
    if (!sample && !reason_.empty()) return {ReadStatus::failed, reason_};
    if (!sample) return {at_end ? ReadStatus::end : ReadStatus::timeout, {}};
    const GstreamerPicture picture(sample.get());
    const cv::Mat image = picture.image();
    if (image.type() == CV_8UC3) {
      cv::Mat& copy = pool_.next();
      image.copyTo(copy);
      frame.image = copy;
    } else {
      frame.image = to_bgr(image, pool_);
    }
    if (frame.image.empty()) return {ReadStatus::failed, "gives what cannot be decoded"};
    fps_ = picture.fps();
    frame.index = next_++;
    return {};
  }

  /// Empties the bus, as nobody else does; keeps the first error, which the others come from.
  void read_bus() {
    while (const Message error{gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR)}) {
      if (reason_.empty()) reason_ = reason_of(error.get());
    }
  }
  std::string reason() {
    read_bus();
    return reason_.empty() ? "GStreamer does not say why" : reason_;
  }

  const Element pipeline_;
  const Held<GstAppSink, gst_object_unref> sink_;
  const Held<GstBus, gst_object_unref> bus_;
  SourceInfo info_;
  FramePool pool_;
  std::optional<Frame> first_;  // until it is read
  double fps_ = 0;
  std::string reason_;  // of the first error
  std::uint64_t next_ = 0;
};

}  // namespace

std::string pipeline_error(const std::string& pipeline) {
  std::string wrong;
  (void)parse(pipeline, wrong);
  return wrong;
}

std::unique_ptr<VideoSource> play_pipeline(const std::string& pipeline, const std::string& name,
                                           std::chrono::milliseconds limit) {
  return std::make_unique<GstreamerPipeline>(pipeline, name, limit);
}

void quiet_glib() {
  g_log_set_default_handler([](const gchar*, GLogLevelFlags, const gchar*, gpointer) {}, nullptr);
}

}  // namespace glimpse
