// What AWS IoT Jobs says, read with suspicion.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace glimpse {

struct JobExecution {
  std::string id;  // [a-zA-Z0-9_-], 1 to 64
  std::int64_t number = 0, version = 0;
};

/// A notification, or the answer to a request. What is absent, or not of the type that AWS gives it, is
/// empty.
struct JobAnswer {
  std::string token;          // the request's clientToken
  std::string code, message;  // of a refusal
  std::string status;         // of executionState
  std::int64_t version = 0;   // the same
  std::optional<JobExecution> execution;
  std::string document;  // of the execution
};

/// Nothing where it is no JSON object, or tells of a job whose id is none.
[[nodiscard]] std::optional<JobAnswer> parse_job_answer(const std::string& payload);

}  // namespace glimpse
