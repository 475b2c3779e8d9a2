// What the fuzz targets share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {

/// A promise of the code under test; broken, it is a finding like any crash.
inline void expect(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

/// What a refusal promises, whatever came in: the right exit code, and words on one line, not a book of them.
inline void expect_good_refusal(const Error& error, ExitCode code, std::size_t most_bytes) {
  const std::string words = error.what();
  expect(error.code() == code, "the exit code says what kind of thing is wrong");
  expect(words == escape_control(words), "the words are one line without control characters");
  expect(!words.empty() && words.size() <= most_bytes, "the words are short enough to read");
}

}  // namespace glimpse
