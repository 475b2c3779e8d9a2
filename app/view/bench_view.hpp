// What `glimpse bench` measured: a table for people, JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "device/machine.hpp"
#include "device/system_status.hpp"
#include "evaluation/timings.hpp"

namespace glimpse {

/// What results were measured on. Without it nobody else can use them.
struct BenchMachine {
  Machine machine;
  std::string processor;          // with its cores
  std::string libtorch, glimpse;  // versions
  SystemStatus status;            // when all had been measured: a hot machine is a slow one
};

/// One line of JSON, no newline.
[[nodiscard]] std::string bench_json(const BenchResult& result, const BenchMachine& on);

[[nodiscard]] std::string bench_text(const std::vector<BenchResult>& results);

}  // namespace glimpse
