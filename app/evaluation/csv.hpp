// Comma-separated values.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace glimpse {

struct CsvRow {
  std::size_t line = 0;  // where it begins in the file, from 1
  std::vector<std::string> fields;
};

/// The rows of a text as RFC 4180 has it: quoted fields may hold commas, line ends and doubled quotes. Lines
/// end in LF or CRLF; a UTF-8 byte order mark and empty lines are passed over. Throws Error(bad_data) that
/// names `origin` and the line.
[[nodiscard]] std::vector<CsvRow> parse_csv(std::string_view text, const std::string& origin);

}  // namespace glimpse
