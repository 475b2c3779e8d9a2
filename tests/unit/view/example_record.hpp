#pragma once

#include "telemetry/record.hpp"

inline glimpse::Record example_record() {
  glimpse::Record record;
  record.frame_index = 371;
  record.inference_fps = 98.14;
  record.capture_fps = 98.3;
  record.frame_age_ms = 9.4;
  record.inference_ms = glimpse::Percentiles{8.1, 8.53, 9.04};
  record.frames_dropped = 3;
  record.system.cpu_percent = 51.2;
  record.predictions = {
      {7, "umbrella", 0.931}, {2, "birthday cake with very many candles", 0.05}, {3, "傘", 0.01}};
  return record;
}
