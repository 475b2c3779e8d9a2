#include "evaluation/csv.hpp"

#include "catch.hpp"
#include "core/error.hpp"

using namespace glimpse;

namespace {

using Fields = std::vector<std::string>;

std::string refusal(const std::string& text) {
  try {
    (void)parse_csv(text, "labels.csv");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::bad_data);
    return error.what();
  }
  FAIL("taken without a word");
  return "";
}

}  // namespace

TEST_CASE("Rows end in LF, CRLF or the end of the file; a byte order mark and empty lines are passed over") {
  for (const char* text : {"a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\n1,2",
                           "\xef\xbb\xbf"
                           "a,b\n1,2\n",
                           "\n\na,b\n\r\n1,2\n\n"}) {
    CAPTURE(text);
    const auto rows = parse_csv(text, "x");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].fields == Fields{"a", "b"});
    CHECK(rows[1].fields == Fields{"1", "2"});
  }
  CHECK(parse_csv("", "x").empty());
}

TEST_CASE("Quoted fields hold commas, quotes and line ends, as RFC 4180 has it") {
  const auto rows = parse_csv("\"a,b\",\"say \"\"cheese\"\"\"\r\n\"two\r\nlines\",\"\"\nlast,\n", "x");
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].fields == Fields{"a,b", "say \"cheese\""});
  CHECK(rows[1].fields == Fields{"two\r\nlines", ""});
  CHECK(rows[2].fields == Fields{"last", ""});
  CHECK(rows[2].line == 4);
}

TEST_CASE("Broken quoting is named by its line") {
  CHECK_THAT(refusal("a,b\n\"never closed,1\n2,3\n"),
             ContainsSubstring("labels.csv:2: ") && ContainsSubstring("no closing quote"));
  CHECK_THAT(refusal("a,b\n1,2\n\"x\"y,1\n"), ContainsSubstring("labels.csv:3: "));
}
