// What the page shows and changes, from the parts of the program that have it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/installed_model.hpp"
#include "core/live_settings.hpp"
#include "core/picture_crop.hpp"
#include "telemetry/frame_times.hpp"
#include "telemetry/record.hpp"

namespace glimpse {

class FrameTap;

/// What a number may be.
struct SettingLimits {
  double min = 0, max = 0;
};

/// All of them are called from the page's own threads. What is referred to must outlive the page.
struct WebSources {
  std::string version, source;
  SettingLimits top_k, interval_s;
  SettingsControl& control;
  FrameTap& frames;
  std::function<Record()> record;                          // as of now; its `system` is not looked at
  std::function<FrameTimes()> frame_times;                 // since the start
  std::function<PictureCrop(int width, int height)> crop;  // of frames of that size, in pixels
  std::function<std::vector<InstalledModel>()> models;
};

}  // namespace glimpse
