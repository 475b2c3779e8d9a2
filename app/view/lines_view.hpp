// Records as lines on standard output: JSON for programs, plain text for people and logs.
#pragma once

#include "telemetry/sink.hpp"
#include "view/output.hpp"

namespace glimpse {

/// Each record as one line of JSON.
class JsonView : public Sink {
 public:
  explicit JsonView(Output& output) : output_(output) {}
  void accept(const Record& record) override;

 private:
  Output& output_;
};

/// Each record as one line of plain text: no colour, no cursor movement.
class LinesView : public Sink {
 public:
  explicit LinesView(Output& output) : output_(output) {}
  void accept(const Record& record) override;

 private:
  Output& output_;
};

/// "frame 371 | umbrella 93.1 %, panda 1.0 % | 98.1 fps (capture 98.3) | …", without a newline.
[[nodiscard]] std::string to_plain_line(const Record& record);

}  // namespace glimpse
