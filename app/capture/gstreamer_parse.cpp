#include "capture/gstreamer_parse.hpp"

#include <dlfcn.h>

#include <cstdint>

namespace glimpse {
namespace {

/// OpenCV brings GStreamer along where it was built with it. Found by name, so that this program needs no
/// GStreamer to build.
template <typename Function>
Function* find(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

struct GError {  // as glib/gerror.h has it since 2.0
  std::uint32_t domain;
  int code;
  char* message;
};
constexpr int fatal_errors = 1;  // GST_PARSE_FLAG_FATAL_ERRORS: a missing element is an error, not a warning

}  // namespace

std::string pipeline_error(const std::string& pipeline) {
  const auto init = find<int(int*, char***, GError**)>("gst_init_check");
  const auto parse = find<void*(const char*, void*, int, GError**)>("gst_parse_launch_full");
  const auto unref = find<void(void*)>("gst_object_unref");
  const auto free_error = find<void(GError*)>("g_error_free");
  if (!init || !parse || !unref || !free_error || !init(nullptr, nullptr, nullptr)) return {};
  GError* error = nullptr;
  void* parsed = parse(pipeline.c_str(), nullptr, fatal_errors, &error);
  if (parsed != nullptr) unref(parsed);
  if (error == nullptr) return {};
  std::string text = error->message;
  free_error(error);
  return text;
}

}  // namespace glimpse
