// What `glimpse bench` measured: a table for people, JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "evaluation/timings.hpp"

namespace glimpse {

/// One line of JSON, no newline.
[[nodiscard]] std::string bench_json(const BenchResult& result);

[[nodiscard]] std::string bench_text(const std::vector<BenchResult>& results);

}  // namespace glimpse
