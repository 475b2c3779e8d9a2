#include "view/lines_view.hpp"

#include "core/text.hpp"
#include "view/numbers.hpp"

namespace glimpse {

std::string to_plain_line(const Record& record) {
  std::string line = "frame " + (record.frame_index ? std::to_string(*record.frame_index) : "-") + " | ";
  const char* separator = "";
  for (const Prediction& guess : record.predictions) {
    line += separator + escape_control(guess.label) + " " + fixed(100 * guess.probability, 1) + " %";
    separator = ", ";
  }
  line += " | " + fixed(record.inference_fps, 1) + " fps (capture " + fixed(record.capture_fps, 1) + ")";
  if (const auto& ms = record.inference_ms) {
    line += " | inference p50 " + fixed(ms->p50, 1) + " p90 " + fixed(ms->p90, 1) + " p99 " +
            fixed(ms->p99, 1) + " ms";
  }
  line += " | age " + fixed(record.frame_age_ms, 0) + " ms, dropped " +
          std::to_string(record.frames_dropped) +
          (record.target_fps ? ", taking " + fixed(record.target_fps, 1) + " fps" : "") + ", cpu " +
          fixed(record.system.cpu_percent, 0) + " %";
  if (const auto& delivery = record.delivery) {
    line += std::string(" | broker ") + word_for(delivery->link) + ", " + std::to_string(delivery->pending) +
            " pending";
    if (delivery->dropped > 0) line += ", " + std::to_string(delivery->dropped) + " dropped";
  }
  return line;
}

void JsonView::accept(const Record& record) {
  output_.write(to_json(record) + "\n");
}

void LinesView::accept(const Record& record) {
  output_.write(to_plain_line(record) + "\n");
}

}  // namespace glimpse
