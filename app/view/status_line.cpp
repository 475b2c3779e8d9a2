#include "view/status_line.hpp"

#include "core/text.hpp"
#include "view/numbers.hpp"

namespace glimpse {

std::string to_status(const Record& record) {
  // What was seen before the camera went away is no state.
  const bool sees = record.inference_fps.value_or(0) > 0 && !record.predictions.empty();
  std::string line = sees ? fixed(record.inference_fps, 1) + " fps, " +
                                escape_control(record.predictions.front().label) + " " +
                                fixed(100 * record.predictions.front().probability, 0) + " %"
                          : "no frames";
  if (const auto& delivery = record.delivery) {
    line += std::string(", broker ") + word_for(delivery->link) + ", " + std::to_string(delivery->pending) +
            " waiting";
  }
  return line;
}

}  // namespace glimpse
