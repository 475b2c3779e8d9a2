// What `glimpse eval` found: a table for people, JSON for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "evaluation/evaluation.hpp"

namespace glimpse {

/// What was evaluated.
struct EvalSubject {
  std::string model;
  std::vector<std::string> labels;  // of the classes
  int threads = 1;
  std::string float_backend, int8_backend;  // "" where the model has no such form
};

/// One line of JSON, no newline; what the model has no form for is null.
[[nodiscard]] std::string eval_json(const Evaluation& evaluation, const EvalSubject& subject);

/// A table, then the first pictures that float and int8 disagree on.
[[nodiscard]] std::string eval_text(const Evaluation& evaluation, const EvalSubject& subject);

}  // namespace glimpse
