#include "diagnosis/failure.hpp"

#include "catch.hpp"
#include "shown.hpp"
#include "telemetry/link/link_fault.hpp"

using namespace glimpse;

TEST_CASE("A complaint is split where what mends it begins") {
  for (const auto& [line, text, remedy] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"nothing listens at a:1; start the broker, or correct it", "nothing listens at a:1",
            "start the broker, or correct it"},
           {"two; semicolons; mend it", "two; semicolons", "mend it"},
           {"key 'k' has mode 0644: chmod 600 k", "key 'k' has mode 0644", "chmod 600 k"},
           {"key 'a; b' has mode 0644: chmod 600 'a; b'", "key 'a; b' has mode 0644: chmod 600 'a", "b'"},
           {"a; b: chmod go-w c", "a; b", "chmod go-w c"},
           {"another's: chown 0 k", "another's", "chown 0 k"},
           {"missing: sudo apt install x", "missing", "sudo apt install x"},
           {"no more to say", "no more to say", ""},
           {"", "", ""}}) {
    const Complaint complaint = split_complaint(line);
    CHECK(complaint.text == text);
    CHECK(complaint.remedy == remedy);
  }
}

TEST_CASE(
    "What the link says fails as credentials where somebody must mend names and keys, else as unavailable") {
  CHECK(failure("tls", LinkFault{LinkProblem::wrong_ca, "who; give it"}).code == ExitCode::credentials);
  CHECK(failure("tls", LinkFault{LinkProblem::not_authorised, "who"}).code == ExitCode::credentials);
  CHECK(failure("tls", LinkFault{LinkProblem::timed_out, "who"}).code == ExitCode::unavailable);
  CHECK(shown(failure("tls", LinkFault{LinkProblem::wrong_ca, "who; give it"})) == "fail tls: who | give it");
}
